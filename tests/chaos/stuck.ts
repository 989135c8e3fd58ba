import * as fs from 'node:fs';
import { join } from 'node:path';
import { parseStuck } from '../../src/protocol/names.js';
import type { Pit } from '../rig/pit.js';

/** The only good reasons for a task to stop in stuck/: processes that could not be shown gone. */
const GOOD_REASONS = /^(still alive: [\d, ]+|the process table could not be read)$/;

/** Resolves stuck tasks as a person does: reads why, sees that no process of them is left, then `snakepit retry`. */
export class Person {
  /** Task → why it was stuck. Their attempts count from 1 again. */
  readonly resolved = new Map<string, string>();
  private readonly pit: Pit;
  private readonly log: (line: string) => void;

  constructor(pit: Pit, log: (line: string) => void) {
    this.pit = pit;
    this.log = log;
  }

  async look(): Promise<void> {
    const { layout } = this.pit;
    const stuck = fs.existsSync(layout.dir('stuck')) ? this.pit.files('stuck') : [];
    for (const file of stuck) {
      const id = parseStuck(file)?.id;
      if (id === undefined) continue;
      const told = this.pit.events().findLast((event) => event.kind === 'task-stuck' && event.id === id);
      const why = told?.kind === 'task-stuck' ? told.evidence : 'nothing says why';
      for (const pid of why.startsWith('still alive: ') ? why.slice(13).split(', ').map(Number) : []) {
        const left = this.pit.processes().find(({ process: one }) => one.pid === pid);
        if (left !== undefined) await this.pit.kill(left.process);
      }
      const { code, stderr } = await this.pit.cli('retry', id);
      this.log(`stuck: ${join('stuck', file)}: ${why}; retry ended with ${code} ${stderr.trim()}`);
      this.resolved.set(id, why);
    }
  }

  /** Reasons that are none, and more of them than a bad night brings: one task in a hundred. */
  faults(tasks: number): string[] {
    const bad = [...this.resolved].filter(([, why]) => !GOOD_REASONS.test(why)).map(([id, why]) => `${id} was stuck: ${why}`);
    return this.resolved.size > Math.max(1, tasks / 100) ? [...bad, `${this.resolved.size} tasks were stuck`] : bad;
  }
}
