import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';

/** In how many of a thousand calls each fault happens. */
export interface GitFaults {
  /** It waits for a moment first. */
  readonly waits: number;
  /** It does nothing, and says that somebody holds a lock. */
  readonly fails: number;
  /** It does what was asked and says that it failed. */
  readonly lies: number;
  /** It does nothing, and does not answer for longer than anybody waits. */
  readonly hangs: number;
  /** The real one is killed within milliseconds, wherever it is then, and keeps its locks. */
  readonly dies: number;
  /** It does what was asked, and its caller is killed before it hears of it. */
  readonly killsCaller: number;
  /** Of the calls that move a branch: the same. */
  readonly killsMover: number;
  /** Of the calls that move a ref: it does nothing, dies, and leaves the lock of that ref behind, two minutes old: as one that was killed in the night. */
  readonly leavesLock: number;
}

/** Longer than the patience for a look (10 s). */
const HANG_SECONDS = 11;
const QUIET = 'quiet';

/** Where git itself lies: a task calls it there, since the agent's git is not what is shaken. */
export const realGit = (): string => execFileSync('/bin/sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();

/** A `git` in front of the real one, in a directory for the PATH; what it did wrong is told in `git-faults.log` beside it. Chance comes from the kernel without a process. */
export function gitShim(dir: string, faults: GitFaults): void {
  fs.mkdirSync(dir, { recursive: true });
  let below = 0;
  const band = (width: number): string => `[ "$die" -ge ${below} ] && [ "$die" -lt ${(below += width)} ]`;
  const script = `#!/bin/sh
REAL='${realGit()}'
[ -e '${join(dir, QUIET)}' ] && exec "$REAL" "$@"
read -r uuid </proc/sys/kernel/random/uuid
die=$(( 0x\${uuid%%-*} % 1000 ))
some=\${uuid##*-}
some=$(( 0x\${some#????????} % 100 ))
moment=0.0$some
[ "$some" -lt 10 ] && moment=0.00$some
tell() { printf '%s\\n' "$1" >>'${join(dir, 'git-faults.log')}'; }
if ${band(faults.waits)}; then tell waits; sleep "$moment"; exec "$REAL" "$@"; fi
if ${band(faults.fails)}; then tell fails; echo "fatal: Unable to create '/nowhere/.git/index.lock': File exists." >&2; exit 128; fi
if ${band(faults.lies)}; then tell lies; "$REAL" "$@"; echo 'fatal: the disk said no, afterwards' >&2; exit 128; fi
if ${band(faults.hangs)}; then tell hangs; exec sleep ${HANG_SECONDS}; fi
if ${band(faults.dies)}; then
  tell dies
  # In the background its input would be /dev/null, and a commit would lose its message.
  exec 3<&0
  "$REAL" "$@" <&3 3<&- & child=$!
  sleep "0.00$(( some % 10 ))"
  kill -9 $child 2>/dev/null
  wait $child
  exit
fi
if ${band(faults.killsCaller)}; then
  case "$(tr '\\0' ' ' <"/proc/$PPID/cmdline")" in
    */snake/main.js*|*/pit/daemon.js*) tell kills-caller; "$REAL" "$@"; kill -9 $PPID; exit 1 ;;
  esac
fi
case " $* " in
  *' update-ref '*)
    some=$(( some * 10 + die % 10 ))
    branch=no
    case " $* " in *' refs/heads/'*) branch=yes ;; esac
    if [ $branch = yes ] && [ "$some" -lt ${faults.killsMover} ]; then tell kills-mover; "$REAL" "$@"; kill -9 $PPID; exit 1; fi
    if [ "$some" -lt ${faults.killsMover + faults.leavesLock} ]; then
      for word in "$@"; do case $word in refs/*) ref=$word ;; esac; done
      # The directory is that of the caller's -C.
      previous=; at=.
      for word in "$@"; do [ "$previous" = -C ] && at=$word; previous=$word; done
      lock=$("$REAL" -C "$at" rev-parse --path-format=absolute --git-common-dir)/$ref.lock
      mkdir -p "\${lock%/*}"
      tell leaves-lock
      (set -C; : >"$lock") 2>/dev/null && touch -d '2 minutes ago' "$lock"
      kill -9 $$
    fi ;;
esac
exec "$REAL" "$@"
`;
  fs.writeFileSync(join(dir, 'git'), script, { mode: 0o755 });
}
