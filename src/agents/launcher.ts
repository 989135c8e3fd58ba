import { shellQuote } from '../lib/quote.js';
import type { Program } from './program.js';

export interface LauncherSpec {
  readonly runDir: string;
  readonly claimedDir: string;
  readonly marker: string;
  readonly workspace: string;
  /** Of the agent, octal; the wrapper's own files are its owner's alone. */
  readonly umask: string;
  readonly env: Readonly<Record<string, string>>;
  /** What works the task. */
  readonly program: Pick<Program, 'argv' | 'stdin' | 'stream'>;
  /** Its error output, where its standard output is taken apart. */
  readonly stderr: string;
  /** Shows both in the pane, readable, as they grow; its own death harms nothing. */
  readonly viewer: readonly string[];
}

/**
 * The wrapper of one attempt, for /bin/sh. Its order is the launch half of the fencing bargain (the reaper's half: fence
 * first, then look): it bears the marker from its first instruction (tmux put it into the environment), *then* looks
 * whether its claim still stands, *then* takes `started`, which exists once, *then* runs the agent. An ambiguous launch may
 * therefore be repeated, and a launch that was overtaken by a reaper ends without a trace.
 *
 * The exit record is written beside and renamed: whole or absent. HUP and TERM reach the agent too; the wrapper outlives
 * them to write the record, with the hang-up in it: only the end of the terminal brings one. kill -9 of the wrapper leaves no
 * record, and that is read as a lost session.
 */
export function launcherScript(spec: LauncherSpec): string {
  const exports = Object.entries(spec.env).map(([key, value]) => `export ${key}=${shellQuote(value)}`);
  const [beginView, endView] = viewLines(spec);
  return `#!/bin/sh
umask 077
RUN=${shellQuote(spec.runDir)}
CLAIMED=${shellQuote(spec.claimedDir)}
claimed() { for file in "$CLAIMED"/*'~${spec.marker}~'*; do [ -e "$file" ] && return 0; done; return 1; }
tries=0
until claimed; do
  tries=$((tries + 1))
  [ "$tries" -ge 5 ] && exit 0
  sleep 0.05
done
if [ -r "/proc/$$/stat" ]; then
  read -r stat < "/proc/$$/stat"
  set -- \${stat##*) }
  start=\${20}
else
  start=0
fi
printf '%s %s\\n' "$$" "$start" > "$RUN/.session.$$"
mkdir "$RUN/started" 2>/dev/null || { rm -f "$RUN/.session.$$"; exit 0; }
mv "$RUN/.session.$$" "$RUN/session"
rm -f "$0"
${beginView}hung=
trap 'hung=" hup"' HUP
trap : INT TERM
unset TMUX TMUX_PANE
${exports.join('\n')}
if cd ${shellQuote(spec.workspace)}; then
${runLines(spec)}
else
code=72
fi
${endView}printf '%s %s%s\\n' "$code" "$(date +%s)" "$hung" > "$RUN/.exit.$$" && mv "$RUN/.exit.$$" "$RUN/exit"
exit "$code"
`;
}

/** The agent in the foreground, so that keys and signals of the terminal reach it. Redirections are opened outside, by the wrapper. */
function runLines({ program, stderr, umask }: LauncherSpec): string {
  const command = `(umask ${umask}; exec ${program.argv.map(shellQuote).join(' ')})`;
  const input = program.stdin.kind === 'terminal' ? '' : ` <${program.stdin.kind === 'file' ? shellQuote(program.stdin.path) : '/dev/null'}`;
  const output = program.stream === undefined ? '' : ` >${shellQuote(program.stream)} 2>${shellQuote(stderr)}`;
  return `${command}${input}${output}\ncode=$?`;
}

/**
 * The viewer beside it. It begins before the wrapper has traps: a fork bears them until it clears them, and the end of an agent that ended at
 * once would be told to a shell that only takes note of it; the wrapper would wait for ever.
 */
const viewLines = ({ program, viewer }: LauncherSpec): readonly [begin: string, end: string] =>
  program.stream === undefined ? ['', ''] : [`${viewer.map(shellQuote).join(' ')} </dev/null &\nviewer=$!\n`, 'kill -TERM "$viewer" 2>/dev/null\nwait "$viewer" 2>/dev/null\n'];
