import * as fs from 'node:fs';
import { join } from 'node:path';
import { repoHead, repoWork } from './repo-work.js';

/*
 * The independent witness. While a task works, its script and every child of it hold a lock of the kernel's on a file of
 * the task's id; a second attempt beside it is refused by flock and leaves a violation. Each attempt also writes when it
 * starts and ends, with its claim. Nothing of snakepit's is asked.
 */

export const HABITS = ['well', 'fails', 'hangs', 'dies', 'stubborn'] as const;

export interface TaskPlan {
  readonly id: string;
  /**
   * "fails": at every attempt; two are allowed. "hangs": its first attempt, until its timeout. "dies": the first takes its wrapper with it and
   * leaves a child. "stubborn": it ignores TERM, and so does its child.
   */
  readonly habit: (typeof HABITS)[number];
  /** What it leaves behind: a child in a session of its own, with our marks or with a scrubbed environment. */
  readonly leaves: 'nothing' | 'marked' | 'scrubbed';
  readonly seconds: number;
  /** Where it works: "none", a scratch directory; else a worktree, with a file of its own or a line in a file that all share. See repo-work.ts. */
  readonly work: 'none' | 'own' | 'shared';
}

export function planTasks(count: number, random: () => number): TaskPlan[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `task-${String(index).padStart(4, '0')}`,
    habit: index % 50 === 7 ? 'fails' : index % 53 === 11 ? 'dies' : index % 97 === 13 ? 'hangs' : index % 23 === 5 ? 'stubborn' : 'well',
    leaves: index % 20 !== 3 ? 'nothing' : index % 40 === 3 ? 'marked' : 'scrubbed',
    // Most are over before anybody could start them again; one in ten would be met at work by a second attempt.
    seconds: index % 10 === 3 ? 2 : Math.round(random() * 500) / 1000,
    work: index % 10 !== 6 ? 'none' : index % 30 === 6 ? 'shared' : 'own',
  }));
}

const LEFT_BEHIND = { nothing: '', marked: 'setsid sleep 900 >/dev/null 2>&1 &', scrubbed: `setsid env -i sleep 900 >/dev/null 2>&1 &` } as const;

/** Allowed failures: of those that hang, more than a slow machine makes of them. */
const ATTEMPTS = { well: 3, fails: 2, hangs: 20, dies: 3, stubborn: 3 } as const;
/** Of those that work in a worktree: git fails them often, and that counts. */
const GIT_ATTEMPTS = 30;
const HANG_TIMEOUT_S = 5;

const MISBEHAVES = {
  well: '', fails: '',
  hangs: '[ "$first" = yes ] && exec sleep 900',
  dies: '[ "$first" = yes ] && { setsid sleep 900 >/dev/null 2>&1 & kill -9 $PPID; exec sleep 900; }',
  stubborn: `trap '' TERM INT HUP; (trap '' TERM; exec setsid sleep 900) >/dev/null 2>&1 &`,
} as const;

export class Witness {
  private readonly dir: string;

  constructor(dir: string) {
    this.dir = dir;
    for (const sub of ['locks', 'lines', 'violations']) fs.mkdirSync(join(dir, sub), { recursive: true });
  }

  taskText(plan: TaskPlan): string {
    const { id, habit, leaves, seconds, work } = plan;
    return `---
id: ${id}
${repoHead(plan)}
attempts: ${work === 'none' || habit === 'fails' ? ATTEMPTS[habit] : GIT_ATTEMPTS}${habit === 'hangs' ? `\ntimeout: ${HANG_TIMEOUT_S}s` : ''}
---
# ${id}

~~~sh
exec 9>>'${this.dir}/locks/${id}'
flock -n 9 || { printf '%s\\n' "$SNAKEPIT_CLAIM" >'${this.dir}/violations/${id}.'$$; exit 99; }
first=yes
[ -e '${this.dir}/lines/${id}' ] && first=no
printf 'start %s\\n' "$SNAKEPIT_CLAIM" >>'${this.dir}/lines/${id}'
${LEFT_BEHIND[leaves]}
${MISBEHAVES[habit]}
${repoWork(plan)}
sleep ${seconds}
printf 'end %s\\n' "$SNAKEPIT_CLAIM" >>'${this.dir}/lines/${id}'
exit ${habit === 'fails' ? 7 : 0}
~~~
`;
  }

  /** Attempts that met another one at work. */
  violations(): string[] {
    return fs.readdirSync(join(this.dir, 'violations')).map((name) => `${name}: ${fs.readFileSync(join(this.dir, 'violations', name), 'utf8').trim()}`);
  }

  /** The claims under which the task was seen to start, or to end, in order. */
  seen(id: string, what: 'start' | 'end'): string[] {
    const file = join(this.dir, 'lines', id);
    if (!fs.existsSync(file)) return [];
    return fs.readFileSync(file, 'utf8').split('\n').filter((line) => line.startsWith(`${what} `)).map((line) => line.slice(what.length + 1));
  }
}
