import { join } from 'node:path';
import { resolveProfiles } from '../../src/agents/resolve.js';
import { resolveConfig } from '../../src/config/load.js';
import { parseJson, RUN_FILES, type VerdictRecord } from '../../src/protocol/records.js';
import { Random } from '../sim/random.js';
import { FOR_EVER, seconds, type Script, type Step, type Turn } from './script.js';
import { configText, World, type WorldPlan } from './world.js';

/*
 * A random walk: random scripts, played twice, once with a pit that lives and once with one that is killed, in the middle of a port call
 * too, its memory gone. Both must decide the same: nobody is told more, sooner or much later, and nobody ends otherwise. Silences are
 * clearly shorter than the patience or endless, so that the seconds in which no pit lives decide nothing.
 */

const CONFIG = ['attempts: 1', 'stall: 60s', 'nudge-every: 30s', 'nudges: 2', 'signal: 20s', 'startup: 40s'];
const LASTS = seconds(420);
/** A restarted pit may take the last 15 s before its predecessor's death for silence, and needs some looks. */
const SLACK_MS = seconds(20);
/** From a death, at the latest, to the next pit. */
const DEAD_MS = 4000;

/** Config and profiles of every walk. */
export function loadWalk(): NonNullable<WorldPlan['loaded']> {
  const text = configText(CONFIG);
  const config = resolveConfig('snakepit.yaml', text, {});
  if (!config.ok) throw new Error(config.error.problem);
  const profiles = resolveProfiles('snakepit.yaml', text, config.value);
  if (!profiles.ok) throw new Error(profiles.error.problem);
  const { actor } = profiles.value;
  if (actor === undefined) throw new Error('no actor');
  return { config: config.value, profiles: { actor } };
}

const done: Step = { done: 'made it' };

function randomScript(random: Random): Script {
  const works = (): Step => ({ works: seconds(random.between(5, 40)), every: seconds(5) });
  const turn: Step[] = [works()];
  for (let more = random.between(0, 2); more > 0; more -= 1) turn.push(random.pick<Step>([{ silent: seconds(random.between(5, 30)) }, { tool: seconds(random.between(5, 30)) }]), works());
  const ends: readonly (readonly Turn[])[] = [
    [[...turn, done]],
    [[...turn, { silent: FOR_EVER, heeds: true }, works(), done]],
    [[...turn, { silent: FOR_EVER }]],
    [[...turn, { says: 'I think so.' }], [done]],
    [[...turn, { says: 'I think so.' }], [{ says: 'As I said.' }]],
    [[...turn, { says: 'I think so.' }], [works(), { says: 'Not yet.' }]],
  ];
  return random.pick(ends);
}

/** What became of one task: which words reached it and when, how the watchdog judged it, where it lies. */
interface Fate {
  readonly words: readonly { readonly at: number; readonly what: 'done' | 'go-on' }[];
  /** Nudges that were decided; one that its pit died over may never be said. */
  readonly decided: number;
  readonly verdict: string | undefined;
  readonly place: string | undefined;
}

interface Played {
  readonly fates: Readonly<Record<string, Fate>>;
  readonly deadMs: number;
  readonly broken: readonly string[];
}

export async function walk(seed: number, loaded: NonNullable<WorldPlan['loaded']>): Promise<string | undefined> {
  const calm = await once(seed, loaded, false);
  const killed = await once(seed, loaded, true);
  const problems = [...calm.broken, ...killed.broken];
  for (const [id, fate] of Object.entries(killed.fates)) {
    const other = calm.fates[id] as Fate;
    const count = (one: Fate, what: string): number => one.words.filter((word) => word.what === what).length;
    for (const what of ['done', 'go-on']) if (count(fate, what) > count(other, what)) problems.push(`${id} was told "${what}" ${count(fate, what)} times, without kills ${count(other, what)} times`);
    // A nudge whose pit died over it may be lost, and the next one comes in its place: nothing else may differ.
    if (fate.place !== other.place) problems.push(`${id} lies in ${fate.place}, without kills in ${other.place}`);
    if (fate.verdict !== other.verdict) problems.push(`${id} was judged ${fate.verdict}, without kills ${other.verdict}`);
    const [first, otherFirst] = [fate.words[0], other.words[0]];
    if (first !== undefined && otherFirst !== undefined && fate.words.length >= fate.decided && Math.abs(first.at - otherFirst.at) > SLACK_MS + killed.deadMs) problems.push(`${id} was first told at ${first.at} ms, without kills at ${otherFirst.at} ms`);
  }
  return problems.length === 0 ? undefined : problems.join('; ');
}

async function once(seed: number, loaded: NonNullable<WorldPlan['loaded']>, kills: boolean): Promise<Played> {
  const random = new Random(seed);
  const tasks = { a: { scripts: [randomScript(random)] }, b: { scripts: [randomScript(random)] } };
  const silentFrom = random.chance(0.5) ? seconds(random.between(20, 120)) : undefined;
  // No longer than a snake waits before it ends by itself what nobody could ask.
  const silentMs = seconds(random.between(15, 35));
  const world = new World({ snakes: 2, config: CONFIG, tasks, loaded });
  const { machine } = world;
  if (silentFrom !== undefined) {
    machine.after(silentFrom, () => void (world.tmux.answers = 'not at all'));
    machine.after(silentFrom + silentMs, () => void (world.tmux.answers = 'well'));
  }
  const deadMs = kills ? plan(world, random) : 0;
  await world.begin();
  await world.run(LASTS);
  const blind = world.lines.filter(({ what, at }) => silentFrom !== undefined && at > silentFrom + 1000 && at < silentFrom + silentMs && (what.startsWith('nudge-decided') || what.startsWith('session-judged')));
  const broken = world.lines.filter(({ what }) => what.startsWith('BROKEN')).map(({ what }) => what);
  return { fates: { a: fateOf(world, 'a'), b: fateOf(world, 'b') }, deadMs, broken: [...broken, ...blind.map(({ about, what }) => `${about}: ${what}, while tmux did not answer`)] };
}

/**
 * Some kills at random instants, each in the middle of a port call; and one right after a decision was told: before it is carried out, while
 * it is, or before that is noted. Returns for how long no pit may live.
 */
function plan(world: World, random: Random): number {
  const { machine } = world;
  world.onPitDeath = () => machine.after(random.between(500, DEAD_MS), () => world.startPit());
  for (let left = random.between(1, 3); left > 0; left -= 1) machine.after(seconds(random.between(5, 300)), () => world.killPitAfter(random.between(0, 60)));
  const calls = random.pick([0, 1, random.between(0, 60), random.between(60, 600), random.between(60, 600)]);
  let decisions = random.between(1, 3);
  world.onPitEvent = ({ kind }) => {
    if (kind !== 'nudge-decided' && kind !== 'session-judged') return;
    decisions -= 1;
    if (decisions === 0) world.killPitAfter(calls);
  };
  return 4 * DEAD_MS;
}

function fateOf(world: World, id: string): Fate {
  const words = (world.session(id)?.heard ?? []).map(({ at, text }) => ({ at, what: text.includes('Is the task done') ? ('done' as const) : ('go-on' as const) }));
  const run = world.disk.list(join(world.layout.runs, id))[0];
  const verdict = run === undefined ? undefined : parseJson<VerdictRecord>(world.disk.text(join(world.layout.runs, id, run, RUN_FILES.verdict)))?.reason;
  const decided = world.lines.filter(({ about, what }) => about === id && what.startsWith('nudge-decided')).length;
  return { words, decided, verdict, place: world.placeOf(id) };
}

/** A nudge, cut off after each so many port calls: whatever was typed by then, nobody is told more often than the ladder says, and all end. */
export async function cutNudges(loaded: NonNullable<WorldPlan['loaded']>): Promise<string | undefined> {
  const works: Step = { works: seconds(20), every: seconds(5) };
  const tasks = { deaf: { scripts: [[[works, { silent: FOR_EVER } as const]]] }, talks: { scripts: [[[works, { says: 'I think so.' }], [{ says: 'As I said.' }]]] } };
  for (let calls = 0; calls <= 500; calls += 20) {
    for (const id of ['deaf', 'talks'] as const) {
      const world = new World({ snakes: 1, config: CONFIG, tasks: { [id]: tasks[id] }, loaded });
      let cut = false;
      world.onPitDeath = () => world.machine.after(DEAD_MS, () => world.startPit());
      world.onPitEvent = ({ kind }) => {
        if (kind !== 'nudge-decided' || cut) return;
        cut = true;
        world.killPitAfter(calls);
      };
      await world.begin();
      await world.run(LASTS);
      const { words, place } = fateOf(world, id);
      if (words.length > (id === 'deaf' ? 2 : 1) || place !== 'failed') return `cut after ${calls} calls: ${id} was told ${words.length} times, and lies in ${place}`;
    }
  }
  return undefined;
}
