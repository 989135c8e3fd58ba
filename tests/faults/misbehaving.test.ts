import * as fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { EventLine } from '../../src/events/event.js';
import type { QueueState } from '../../src/protocol/layout.js';
import { actorProfile, actorTask, type ActorStep } from '../rig/actor.js';
import type { Pit } from '../rig/pit.js';
import { randomFrom } from '../rig/random.js';
import { TEST_SEED } from '../rig/seed.js';
import { until } from '../rig/until.js';
import { story, withPit } from '../integration/rig.js';

type Turn = readonly ActorStep[];
interface Case {
  readonly what: string;
  readonly head?: readonly string[];
  readonly attempts: readonly (readonly Turn[])[];
  /** Where it ends, and what its story, or the event that put it there, says. */
  readonly ends: Extract<QueueState, 'done' | 'failed'>;
  readonly says: string;
  /** Nudges of its whole life: [go-on, done]. A pit that dies between deciding and typing says one fewer, never one more. */
  readonly nudges: readonly [number, number];
}

const WELL: Turn = [{ work: 300 }, { done: 'well done' }];
const ONCE = ['attempts: 1'];

/** Twelve sessions and more, each of which misbehaves in a way of its own. */
const CASES: Readonly<Record<string, Case>> = {
  works: { what: 'works and says so', attempts: [[WELL]], ends: 'done', says: 'well done', nudges: [0, 0] },
  silent: { what: 'falls silent, is nudged, and is started anew', attempts: [[[{ work: 300 }, { silent: true }]], [WELL]], ends: 'done', says: 'stalled: it fell silent', nudges: [1, 0] },
  wordless: { what: 'finishes without a word, and says so when it is asked', attempts: [[[{ work: 200 }, { say: 'It is made.' }], WELL]], ends: 'done', says: 'well done', nudges: [0, 1] },
  mum: { what: 'finishes without a word, asked or not', head: ONCE, attempts: [[[{ work: 200 }, { say: 'It is made.' }]]], ends: 'failed', says: 'no-signal: ', nudges: [0, 1] },
  asks: { what: 'asks a person, is parked, and is answered', attempts: [[[{ dialog: 'Which of the two?' }]], [WELL]], ends: 'done', says: 'well done', nudges: [0, 0] },
  allowed: { what: 'asks for what its profile allows', head: ['ask: allow'], attempts: [[[{ dialog: 'May I write a file?', label: 'Yes, this once' }, ...WELL]]], ends: 'done', says: 'well done', nudges: [0, 0] },
  limited: { what: 'meets a limit that ends', head: ['agent: limited'], attempts: [[[{ work: 200 }, { limit: 3 }]], [WELL]], ends: 'done', says: 'well done', nudges: [0, 0] },
  crashes: { what: 'crashes', attempts: [[[{ work: 200 }, { crash: 3 }]], [WELL]], ends: 'done', says: 'exited with status 3', nudges: [0, 0] },
  floods: { what: 'prints for ever and tells nothing', head: ONCE, attempts: [[[{ flood: true }]]], ends: 'failed', says: 'stalled: it fell silent', nudges: [1, 0] },
  unborn: { what: 'never begins, and is started anew', attempts: [[[{ mute: true }]], [WELL]], ends: 'done', says: 'startup-stall: it was started, and did nothing', nudges: [0, 0] },
  stopped: { what: 'stops itself', head: ONCE, attempts: [[[{ work: 200 }, { stop: true }]]], ends: 'failed', says: 'stalled: it fell silent', nudges: [1, 0] },
  litters: { what: 'leaves a child in a session of its own', attempts: [[[{ child: true }, ...WELL]]], ends: 'done', says: 'well done', nudges: [0, 0] },
  retries: { what: 'retries for ever', head: ['agent: retrying'], attempts: [[[{ work: 200 }, { retry: true }]], [WELL]], ends: 'done', says: 'well done', nudges: [0, 0] },
  full: { what: 'has no room left', head: ONCE, attempts: [[[{ work: 200 }, { context: true }]]], ends: 'failed', says: 'context-exhausted: ', nudges: [0, 0] },
};

const CONFIG = [
  'tick: 200ms', 'settle: 50ms', 'rescan: 1s', 'grace: 500ms', 'adopt: 5s', 'heartbeat: 500ms', 'backoff: {first: 100ms, factor: 1, max: 100ms}', 'agent: actor', 'timeout: 5m',
  'startup: 25s', 'stall: 15s', 'nudge-every: 10s', 'nudges: 1', 'signal: 12s', 'retrying: 4s', 'breaker: {first: 5s}', 'agents:', ...['actor', 'limited', 'retrying'].flatMap((name) => actorProfile(name)),
];

/** With its story, which comes a moment later. */
const endOf = (pit: Pit, id: string): string | undefined => (['done', 'failed'] as const).find((state) => fs.existsSync(`${pit.layout.dir(state)}/${id}.result.md`));
const nudges = (events: readonly EventLine[], id: string): [number, number] => {
  const decided = events.flatMap((event) => (event.kind === 'nudge-decided' && event.id === id ? [event.what] : []));
  return [decided.filter((what) => what === 'go-on').length, decided.filter((what) => what === 'done').length];
};

/** Kills the pit again and again at random moments, and starts it anew a moment later, until everything has ended. */
async function monkey(pit: Pit, random: () => number, over: () => boolean): Promise<number> {
  let kills = 0;
  for (let next = Date.now() + 3000; !over(); ) {
    const at = next;
    await until('the next kill is due, or all is over', () => over() || Date.now() >= at, 60_000);
    const daemon = over() ? undefined : await pit.daemon();
    if (daemon !== undefined && (await pit.kill(daemon))) {
      kills += 1;
      await until('the pit is dead', async () => (await pit.daemon()) === undefined, 10_000);
      const back = Date.now() + random() * 1500;
      await until('it may come back', () => Date.now() >= back, 5000);
      await pit.up(6);
    }
    next = Date.now() + 2000 + random() * 6000;
  }
  return kills;
}

describe('sessions that misbehave', () => {
  it('end as is specified, each nudged as often as it should be, while the pit is killed at random', { timeout: 420_000 }, () =>
    withPit({ config: CONFIG }, async (pit) => {
      await pit.up(6);
      for (const [id, { head, attempts }] of Object.entries(CASES)) pit.dropTask(`${id}.md`, actorTask(attempts, head));
      const ids = Object.keys(CASES);
      let failed = false;
      const over = (): boolean => failed || ids.every((id) => endOf(pit, id) !== undefined);
      const kills = monkey(pit, randomFrom(TEST_SEED), over);
      try {
        await pit.until('it asks a person', () => pit.events().some((event) => event.kind === 'task-parked' && event.id === 'asks'), 180_000);
        expect(fs.readFileSync(`${pit.layout.dir('needs')}/asks.question.md`, 'utf8')).toContain('Which of the two?');
        await pit.ok('answer', 'asks', 'the first');
        await pit.until('all have ended', () => ids.every((id) => endOf(pit, id) !== undefined), 300_000);
      } finally {
        failed = true;
        console.log(`misbehaving: the pit was killed ${await kills} times`);
      }
      const events = pit.events();
      const told = Object.fromEntries(ids.map((id) => [id, { ends: endOf(pit, id), nudges: nudges(events, id) }]));
      expect(told).toEqual(Object.fromEntries(Object.entries(CASES).map(([id, { ends, nudges: wanted }]) => [id, { ends, nudges: wanted }])));
      for (const [id, { ends, says }] of Object.entries(CASES)) expect(story(pit, ends, id), id).toContain(says);
      // A limit spends no attempt; what was done to the others does.
      for (const id of ['limited', 'retrying']) expect(events.filter((event) => event.kind === 'breaker-opened' && event.account === `for-${id}`).length).toBeGreaterThan(0);
      expect(events.filter((event) => event.kind === 'claim-lost')).toEqual([]);
    }));
});
