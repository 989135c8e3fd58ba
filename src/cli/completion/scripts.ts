/** Shells that completion is made for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/*
 * Each script hands the words up to the cursor to `snakepit completion SHELL -- WORDS`, as words: nothing is evaluated. The answer is
 * a line each, the word and what it is with a tab between, or `:files` or `:dirs`, which the shell completes itself. The snakepit that is
 * called is the one on PATH, never the one that is being typed: a key press must run no program of the directory one stands in.
 */

const BASH = `# bash completion for snakepit; in ~/.bashrc: eval "$(snakepit completion bash)"
_snakepit() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :files) compopt -o default 2>/dev/null ;;
      :dirs) compopt -o dirnames 2>/dev/null ;;
      *) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done < <(command snakepit completion bash -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _snakepit snakepit
`;

const ZSH = `#compdef snakepit
# zsh completion for snakepit; in ~/.zshrc, after compinit: eval "$(snakepit completion zsh)"
_snakepit() {
  local line
  local -a described
  while IFS= read -r line; do
    case $line in
      :files) _files; return ;;
      :dirs) _files -/; return ;;
      *) described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done < <(command snakepit completion zsh -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)
  (( \${#described} )) && _describe -V snakepit described
}
if [[ \${funcstack[1]} == _snakepit ]]; then _snakepit "$@"; else compdef _snakepit snakepit; fi
`;

const FISH = `# fish completion for snakepit; once: snakepit completion fish > ~/.config/fish/completions/snakepit.fish
function __snakepit_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  for line in (command snakepit completion fish -- $words[2..-1] "$current" 2>/dev/null)
    switch $line
      case ':files'
        __fish_complete_path "$current"
      case ':dirs'
        __fish_complete_directories "$current"
      case '*'
        printf '%s\\n' $line
    end
  end
end
complete -c snakepit -f -a '(__snakepit_complete)'
`;

export const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
