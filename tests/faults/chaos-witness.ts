import * as fs from 'node:fs';
import { join } from 'node:path';

/*
 * The independent witness. While a task works, its script and every child of it hold a lock of the kernel's on a file of
 * the task's id; a second attempt beside it is refused by flock and leaves a violation. Each attempt also writes when it
 * starts and ends, with its claim. Nothing of snakepit's is asked.
 */

export interface TaskPlan {
  readonly id: string;
  /** Fails at every attempt; two are allowed. */
  readonly fails: boolean;
  /** What it leaves behind: a child in a session of its own, with our marks or with a scrubbed environment. */
  readonly leaves: 'nothing' | 'marked' | 'scrubbed';
  readonly seconds: number;
}

export function planTasks(count: number, random: () => number): TaskPlan[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `task-${String(index).padStart(4, '0')}`,
    fails: index % 50 === 7,
    leaves: index % 20 !== 3 ? 'nothing' : index % 40 === 3 ? 'marked' : 'scrubbed',
    // Most are over before anybody could start them again; one in ten would be met at work by a second attempt.
    seconds: index % 10 === 3 ? 2 : Math.round(random() * 500) / 1000,
  }));
}

const LEFT_BEHIND = { nothing: '', marked: 'setsid sleep 900 >/dev/null 2>&1 &', scrubbed: `setsid env -i sleep 900 >/dev/null 2>&1 &` } as const;

export class Witness {
  private readonly dir: string;

  constructor(dir: string) {
    this.dir = dir;
    for (const sub of ['locks', 'lines', 'violations']) fs.mkdirSync(join(dir, sub), { recursive: true });
  }

  taskText({ id, fails, leaves, seconds }: TaskPlan): string {
    return `---
id: ${id}
attempts: ${fails ? 2 : 3}
---
# ${id}

~~~sh
exec 9>>'${this.dir}/locks/${id}'
flock -n 9 || { printf '%s\\n' "$SNAKEPIT_CLAIM" >'${this.dir}/violations/${id}.'$$; exit 99; }
printf 'start %s\\n' "$SNAKEPIT_CLAIM" >>'${this.dir}/lines/${id}'
${LEFT_BEHIND[leaves]}
sleep ${seconds}
printf 'end %s\\n' "$SNAKEPIT_CLAIM" >>'${this.dir}/lines/${id}'
exit ${fails ? 7 : 0}
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
