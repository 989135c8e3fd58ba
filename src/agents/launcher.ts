import { shellQuote } from '../lib/quote.js';

export interface LauncherSpec {
  readonly runDir: string;
  readonly claimedDir: string;
  readonly marker: string;
  readonly workspace: string;
  readonly env: Readonly<Record<string, string>>;
  /** The program that works the task, as argv. */
  readonly argv: readonly string[];
}

/**
 * The wrapper of one attempt, for /bin/sh. Its order is the launch half of the fencing bargain (the reaper's half: fence
 * first, then look): it bears the marker from its first instruction (tmux put it into the environment), *then* looks
 * whether its claim still stands, *then* takes `started`, which exists once, *then* runs the agent. An ambiguous launch may
 * therefore be repeated, and a launch that was overtaken by a reaper ends without a trace.
 *
 * The exit record is written beside and renamed: whole or absent. HUP and TERM reach the agent too; the wrapper outlives
 * them to write the record. kill -9 of the wrapper leaves no record, and that is read as a lost session.
 */
export function launcherScript(spec: LauncherSpec): string {
  const exports = Object.entries(spec.env).map(([key, value]) => `export ${key}=${shellQuote(value)}`);
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
trap : HUP INT TERM
unset TMUX TMUX_PANE
${exports.join('\n')}
cd ${shellQuote(spec.workspace)} && ${spec.argv.map(shellQuote).join(' ')} </dev/null
code=$?
printf '%s %s\\n' "$code" "$(date +%s)" > "$RUN/.exit.$$" && mv "$RUN/.exit.$$" "$RUN/exit"
exit "$code"
`;
}
