import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { nodeFiles as files } from '../../src/lib/node-files.js';
import { afterAttempt, type Outcome } from '../../src/protocol/judge.js';
import { layoutOf } from '../../src/protocol/layout.js';
import { printWaiting } from '../../src/protocol/names.js';
import { awaitedBy, rememberAwaited } from '../../src/queue/children.js';
import * as realStore from '../../src/queue/store.js';
import { cleanMutants, importMutant } from '../rig/mutants.js';

const top = mkdtempSync(join(tmpdir(), 'snakepit-children-'));
afterAll(() => {
  rmSync(top, { recursive: true, force: true });
  cleanMutants();
});

const POLICY = { attempts: 3, losses: 3, deferrals: 3, asks: 3, backoff: { firstMs: 1000, factor: 2, maxMs: 5000 } };

/** The record is written, then the outcome, then the claim is settled, by its snake or, hours later, by whoever finds it dead: the waiting file bears the recorded name. */
async function recordedNameIsMet({ destinationOf }: Pick<typeof realStore, 'destinationOf'>, laterMs: number): Promise<void> {
  const layout = layoutOf(mkdtempSync(join(top, 'pit-')));
  await files.makeDir(join(layout.runs, 'big'));
  const name = { id: 'big', place: { priority: 50, arrivedAt: 1_795_303_929_508 }, counters: { failures: 1, losses: 0, deferrals: 2 } };
  const outcome: Outcome = { kind: 'released', detail: 'it waits for its children: a, b', children: { ids: ['a', 'b'], at: 1_795_303_930_000 } };
  const next = afterAttempt(POLICY, name.counters, outcome);
  if (next.kind !== 'again' || next.children === undefined) throw new Error('it does not wait');
  await rememberAwaited(files, layout, { ...name, counters: next.counters }, next.children);
  const to = destinationOf(next, next.children.at + laterMs);
  if (to.kind !== 'waiting') throw new Error(`it goes to ${to.kind}`);
  const file = printWaiting({ ...name, counters: to.counters, dueAt: to.dueAt });
  expect(await awaitedBy(files, layout, 'big', file)).toEqual(['a', 'b']);
  expect(await awaitedBy(files, layout, 'big', printWaiting({ ...name, counters: name.counters, dueAt: to.dueAt }))).toEqual([]);
}

describe('a task that waits for its children', () => {
  it('lies under the name that was written down, whoever settles it and when', async () => {
    for (const laterMs of [0, 1, 3_600_000]) await recordedNameIsMet(realStore, laterMs);
  });

  it('settled by the clock of whoever settles it, it would wait for nobody: noticed', async () => {
    const mutant: typeof realStore = await importMutant('queue/store.js', 'dueAt: next.children.at', 'dueAt: nowMs');
    await expect(recordedNameIsMet(mutant, 3_600_000)).rejects.toThrow();
  });
});
