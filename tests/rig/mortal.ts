import { nodeFiles } from '../../src/lib/node-files.js';
import type { Files } from '../../src/lib/files.js';

/** Whoever dies makes no further call: not to release a lock, not to tell. */
export class Died extends Error {}

const CHANGES = new Set(['rename', 'write', 'append', 'makeDir', 'remove', 'touch']);

/** Somebody who dies just before or just after their k-th change of the world, and does nothing any more. `at` 0: never. */
export class Mortal {
  private readonly at: number;
  private readonly when: 'before' | 'after';
  private dead = false;
  changes = 0;

  constructor(at: number, when: 'before' | 'after') {
    this.at = at;
    this.when = when;
  }

  async step<T>(isChange: boolean, act: () => Promise<T>): Promise<T> {
    if (this.dead) throw new Died();
    if (!isChange) return act();
    this.changes += 1;
    if (this.changes !== this.at) return act();
    if (this.when === 'after') await act();
    this.dead = true;
    throw new Died();
  }

  /** The real files, as long as they live. */
  readonly files: Files = Object.fromEntries(
    Object.entries(nodeFiles).map(([name, call]) => [name, (...args: unknown[]) => this.step(CHANGES.has(name), () => (call as (...all: unknown[]) => Promise<unknown>)(...args))]),
  ) as unknown as Files;
}
