import { describe, expect, it } from 'vitest';
import { NO_COUNTERS, type Owner, type TaskName } from '../../src/protocol/names.js';
import type { Claim, QueueStore } from '../../src/queue/store.js';

/** One store under test, and the two things that its contract needs from outside: putting tasks in, and owners that are alive or dead. */
export interface StoreUnderTest {
  /** A second, third… view of the same queue, as another process would have it. */
  open(): QueueStore;
  put(task: TaskName, text: string): Promise<void>;
  /** Ids in a state, in dispatch order where there is one. */
  ids(state: 'ready' | 'waiting' | 'held' | 'claimed' | 'done' | 'failed' | 'stuck' | 'needs'): Promise<string[]>;
  pause(on: boolean): Promise<void>;
  living(snake: string): Owner;
  dead(snake: string): Owner;
  dispose(): Promise<void>;
}

const task = (id: string, priority = 50, arrivedAt = 1_700_000_000_000): TaskName => ({ id, place: { priority, arrivedAt }, counters: NO_COUNTERS });
const FOREVER = new AbortController().signal;

/** What a snake relies on, whatever the store is made of. Every implementation of QueueStore passes this suite. */
export function queueStoreContract(name: string, make: () => Promise<StoreUnderTest>): void {
  const on = (what: string, act: (under: StoreUnderTest, store: QueueStore) => Promise<void>): void => {
    it(what, async () => {
      const under = await make();
      const store = under.open();
      try {
        await act(under, store);
      } finally {
        store.close();
        await under.dispose();
      }
    });
  };
  /** A store may say "empty" for a moment after something came; within two seconds it must have seen it. */
  const claimed = async (store: QueueStore, owner: Owner): Promise<Claim> => {
    for (const until = Date.now() + 2000; ; ) {
      const got = await store.claim(owner);
      if (got.kind === 'claimed') return got.claim;
      if (Date.now() > until) throw new Error(`nothing was claimed: ${got.kind}`);
      await store.wait(20, FOREVER);
    }
  };

  describe(`${name} keeps the contract of QueueStore`, () => {
    on('an empty queue is empty, a paused one paused, and a pause takes nothing away', async (under, store) => {
      expect(await store.claim(under.living('s1'))).toEqual({ kind: 'empty' });
      await under.put(task('a'), 'a');
      await under.pause(true);
      expect(await store.claim(under.living('s1'))).toEqual({ kind: 'paused' });
      await under.pause(false);
      expect((await claimed(store, under.living('s1'))).name.id).toBe('a');
    });

    on('claims go by priority, then by arrival, then each task once', async (under, store) => {
      for (const [id, priority, at] of [['late', 50, 3], ['low', 90, 1], ['first', 0, 9], ['early', 50, 2]] as const) await under.put(task(id, priority, 1_700_000_000_000 + at), id);
      const order: string[] = [];
      for (let n = 0; n < 4; n += 1) order.push((await claimed(store, under.living('s1'))).name.id);
      expect(order).toEqual(['first', 'early', 'late', 'low']);
      expect((await store.claim(under.living('s1'))).kind).not.toBe('claimed');
    });

    on('two that claim at once share the tasks: none twice, none left', async (under, store) => {
      const other = under.open();
      const all = Array.from({ length: 40 }, (_, n) => `t${n}`);
      for (const id of all) await under.put(task(id), id);
      const take = async (from: QueueStore, snake: string): Promise<string[]> => {
        const got: string[] = [];
        for (;;) {
          const one = await from.claim(under.living(snake));
          if (one.kind !== 'claimed') return got;
          got.push(one.claim.name.id);
        }
      };
      const [first, second] = await Promise.all([take(store, 's1'), take(other, 's2')]);
      expect([...first, ...second].sort()).toEqual([...all].sort());
      other.close();
    });

    on('each claim has a marker of its own, also of the same task after it was given back', async (under, store) => {
      await under.put(task('a'), 'a');
      const first = await claimed(store, under.living('s1'));
      expect(await store.settle(first, { kind: 'ready', counters: { failures: 0, losses: 0, deferrals: 1 } })).toBe('ok');
      const second = await claimed(under.open(), under.living('s1'));
      expect(second.marker).not.toBe(first.marker);
      expect(second.name.counters).toEqual({ failures: 0, losses: 0, deferrals: 1 });
      expect(second.name.place).toEqual(first.name.place);
    });

    on('a claim is readable, within bounds, as it is now', async (under, store) => {
      await under.put(task('a'), 'the text of a');
      const claim = await claimed(store, under.living('s1'));
      expect(Buffer.from((await store.read(claim, 100)) ?? []).toString()).toBe('the text of a');
      expect((await store.read(claim, 3))?.length).toBe(3);
    });

    on('the living are not robbed; the claim of a dead namesake is adopted with marker and counters, of another name it is not', async (under, store) => {
      await under.put(task('a'), 'a');
      await under.put(task('b'), 'b');
      const dead = await claimed(store, under.dead('s1'));
      const alive = await claimed(store, under.living('s2'));
      expect(await under.open().adopt(under.living('s3'))).toEqual([]);
      expect(await under.open().adopt(under.dead('s2'))).toEqual([]);
      // Its own it goes on with, as it stands.
      expect(await under.open().adopt(under.living('s2'))).toEqual([alive]);
      const adopted = await under.open().adopt(under.living('s1'));
      expect(adopted.map((one) => one.marker)).toEqual([dead.marker]);
      expect(await store.renew(dead)).toBe('lost');
      expect(await store.renew(alive)).toBe('ok');
    });

    on('who lost a claim is told by renew and by settle, and changes nothing', async (under, store) => {
      await under.put(task('a'), 'a');
      const old = await claimed(store, under.dead('s1'));
      const [taken] = await under.open().adopt(under.living('s1'));
      if (taken === undefined) throw new Error('not adopted');
      expect(await store.renew(old)).toBe('lost');
      expect(await store.settle(old, { kind: 'done' })).toBe('lost');
      expect(await store.read(old, 10)).toBeUndefined();
      expect(await under.ids('claimed')).toEqual(['a']);
      expect(await store.settle(taken, { kind: 'done' })).toBe('ok');
      expect(await store.settle(taken, { kind: 'failed' })).toBe('lost');
      expect([await under.ids('done'), await under.ids('failed')]).toEqual([['a'], []]);
    });

    for (const to of [{ kind: 'done' }, { kind: 'failed' }, { kind: 'ready', counters: NO_COUNTERS }, { kind: 'held', counters: NO_COUNTERS }, { kind: 'waiting', counters: NO_COUNTERS, dueAt: 1_800_000_000_000 }, { kind: 'stuck' }, { kind: 'needs', counters: { failures: 0, losses: 0, deferrals: 1 } }] as const) {
      on(`settled to ${to.kind} it is there, there alone, and counted there`, async (under, store) => {
        await under.put(task('a'), 'a');
        expect(await store.settle(await claimed(store, under.living('s1')), to)).toBe('ok');
        for (const state of ['ready', 'waiting', 'held', 'claimed', 'done', 'failed', 'stuck', 'needs'] as const) expect([state, await under.ids(state)]).toEqual([state, state === to.kind ? ['a'] : []]);
        expect((await store.counts())[to.kind]).toBe(1);
      });
    }

    on('what waits for a person is claimed by nobody', async (under, store) => {
      await under.put(task('a'), 'a');
      expect(await store.settle(await claimed(store, under.living('s1')), { kind: 'needs', counters: { failures: 0, losses: 0, deferrals: 1 } })).toBe('ok');
      expect((await under.open().claim(under.living('s2'))).kind).toBe('empty');
    });

    on('a wait ends in time, and at once when it is called off', async (_under, store) => {
      await store.wait(5, FOREVER);
      const off = new AbortController();
      const waiting = store.wait(60_000, off.signal);
      off.abort();
      await waiting;
    });
  });
}
