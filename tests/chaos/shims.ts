import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';

/** In how many of a thousand calls each fault happens. */
export interface TmuxFaults {
  /** It does nothing and says that it failed. */
  readonly fails: number;
  /** It does nothing, and does not answer for longer than anybody waits. */
  readonly hangs: number;
  /** It does what was asked and says that it failed. */
  readonly lies: number;
  /** Of launches: the server is killed right after it. */
  readonly diesAfterLaunch: number;
  /** Of launches: it is made twice, under two names, the second from a copy of its script. */
  readonly launchesTwice: number;
  /** Of launches: it says that it has launched, and does so later, from a copy of its script: as a shell does that has it open. */
  readonly launchesLate: number;
  /** How much later: so many seconds; or, of each task's first attempt alone, as soon as its second has begun, however slow the machine. */
  readonly late: number | 'overtaken';
}

/** Longer than any caller's patience (5 s). */
const HANG_SECONDS = 6;
/** A launch that nobody overtakes is never made. */
const OVERTAKEN_SECONDS = 150;
/** While this file lies beside the shim it does nothing wrong. */
const QUIET = 'quiet';

/** A `tmux` in front of the real one, in a directory for the PATH; what it did wrong is told in `faults.log` beside it. */
export function tmuxShim(dir: string, faults: TmuxFaults): string {
  fs.mkdirSync(dir, { recursive: true });
  const real = execFileSync('/bin/sh', ['-c', 'command -v tmux'], { encoding: 'utf8' }).trim();
  let below = 0;
  const band = (width: number): string => `[ "$die" -ge ${below} ] && [ "$die" -lt ${(below += width)} ]`;
  const [late, later] = faults.late === 'overtaken' ? ['[ "$first" = yes ]', 'overtaken "$script"'] : ['true', `sleep ${faults.late}`];
  const script = `#!/bin/sh
REAL='${real}'
[ -e '${join(dir, QUIET)}' ] && exec "$REAL" "$@"
die=$(( $(od -An -N2 -tu2 /dev/urandom) % 1000 ))
launch=no
first=no
server=
previous=
for word in "$@"; do
  [ "$word" = new-session ] && launch=yes
  [ "$previous" = -S ] && server=$word
  case $word in */001-*/launch.sh) first=yes ;; esac
  previous=$word
done
again() { how=$1; shift; for word in "$@"; do case $word in */launch.sh) cp "$word" "$word.$how" ;; esac; done; }
overtaken() {
  run=\${1%/*}
  n=0
  while [ $((n += 1)) -lt ${OVERTAKEN_SECONDS * 10} ] && [ ! -e '${join(dir, QUIET)}' ]; do
    for other in "\${run%/*}"/*/started; do [ -e "$other" ] && [ "$other" != "$run/started" ] && return 0; done
    sleep 0.1
  done
  return 1
}
tell() { printf '%s %s\\n' "$1" "$launch" >>'${join(dir, 'faults.log')}'; }
if ${band(faults.fails)}; then tell fails; echo 'lost server' >&2; exit 1; fi
if ${band(faults.hangs)}; then tell hangs; exec sleep ${HANG_SECONDS}; fi
if ${band(faults.lies)}; then tell lies; "$REAL" "$@"; echo 'lost server' >&2; exit 1; fi
if [ $launch = yes ] && ${band(faults.diesAfterLaunch)}; then tell dies; "$REAL" "$@"; code=$?; sleep 0.1; "$REAL" -S "$server" kill-server; exit $code; fi
if [ $launch = yes ] && ${band(faults.launchesTwice)}; then
  tell twice
  again twice "$@"
  "$REAL" "$@"; code=$?
  count=$#; next=
  while [ "$count" -gt 0 ]; do
    word=$1; shift; count=$((count - 1))
    [ "$word" = ';' ] && { while [ "$count" -gt 0 ]; do shift; count=$((count - 1)); done; break; }
    [ "$next" = -s ] && word=$word-2
    next=$word
    case $word in */launch.sh) [ -e "$word.twice" ] && word=$word.twice ;; esac
    set -- "$@" "$word"
  done
  "$REAL" "$@"
  exit $code
fi
if [ $launch = yes ] && ${late} && ${band(faults.launchesLate)}; then
  tell late
  again late "$@"
  count=$#
  while [ "$count" -gt 0 ]; do
    word=$1; shift; count=$((count - 1))
    case $word in */launch.sh) script=$word; [ -e "$word.late" ] && word=$word.late ;; esac
    set -- "$@" "$word"
  done
  (${later} && exec "$REAL" "$@") >/dev/null 2>&1 &
  exit 0
fi
exec "$REAL" "$@"
`;
  fs.writeFileSync(join(dir, 'tmux'), script, { mode: 0o755 });
  return dir;
}

/** From now on it only passes on what it is asked. */
export const quieten = (dir: string): void => fs.writeFileSync(join(dir, QUIET), '');

/** How often each fault happened, as a shim's log has it. */
export function shimFaults(dir: string, log = 'faults.log'): Record<string, number> {
  const counts: Record<string, number> = {};
  const file = join(dir, log);
  for (const line of fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n') : []) if (line !== '') counts[line.split(' ')[0] ?? ''] = (counts[line.split(' ')[0] ?? ''] ?? 0) + 1;
  return counts;
}
