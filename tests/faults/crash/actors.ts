import * as fs from 'node:fs';
import { join } from 'node:path';
import type { QueueState } from '../../../src/protocol/layout.js';
import { parseJson } from '../../../src/protocol/records.js';
import type { TaskPlan } from '../../chaos/witness.js';
import { end, type Ended, type Stage, type Stop } from './stage.js';

/* What is killed, step by step: how its world is laid, how it is run once, and where its tasks must come to in the end. */

export interface Goal {
  readonly id: string;
  readonly state: QueueState | 'archive';
}

export interface Actor {
  readonly more?: readonly string[];
  readonly arrange: (stage: Stage) => Promise<void>;
  readonly act: (stage: Stage, stop?: Stop, list?: string) => Promise<Ended>;
  /** What is said, or comes by, after its death, before a snake works whatever is in line. */
  readonly again: (stage: Stage) => Promise<unknown>;
  /** A function where the ids are made on the way. */
  readonly goals: readonly Goal[] | ((stage: Stage) => readonly Goal[]);
  /** What must hold of it beside what must hold of all; the faults. */
  readonly also?: (stage: Stage) => readonly string[];
}

const plan = (id: string, more: Partial<TaskPlan> = {}): TaskPlan => ({ id, habit: 'well', leaves: 'nothing', seconds: 0, work: 'none', ...more });
const BRIEF_MS = 60_000;
const DONE: readonly Goal[] = [{ id: 'x', state: 'done' }];
const FAILED: readonly Goal[] = [{ id: 'x', state: 'failed' }];

/** A task is put in line as a drop is. */
async function inLine(stage: Stage, text: string): Promise<void> {
  stage.pit.dropTask('x.md', text);
  must(await stage.round('drops'), 'taking in');
}

function must(ended: Ended, what: string): void {
  if (ended.code !== 0) throw new Error(`${what} ended with ${ended.code ?? ended.signal ?? ''}: ${ended.output}`);
}

/** A snake until it has nothing more to do, told to end then; or to its death. */
async function snakeLife(stage: Stage, goals: readonly Goal[], stop?: Stop, list?: string): Promise<Ended> {
  const child = stage.snake(stop, list);
  const ended = end(child);
  let over = false;
  void ended.then(() => (over = true));
  await stage.pit.until('its tasks have come to their end, or it has', () => over || reached(stage, goals), BRIEF_MS);
  child.kill('SIGTERM');
  return ended;
}

export const reached = (stage: Stage, goals: readonly Goal[]): boolean => goals.every((goal) => whereIs(stage, goal.id).join() === goal.state);

/** Every place in which a task of that id lies. */
export function whereIs({ pit: { layout } }: Stage, id: string): string[] {
  const found: string[] = [];
  for (const state of ['ready', 'waiting', 'held', 'claimed', 'reaping', 'stuck', 'needs', 'done', 'failed'] as const) {
    for (const name of fs.readdirSync(layout.dir(state))) if (name === `${id}.md` || (name.includes(`~${id}~`) && name.endsWith('.md'))) found.push(state);
  }
  for (const name of fs.readdirSync(layout.queue)) if (name === `${id}.md`) found.push('queue');
  if (fs.existsSync(layout.archive)) for (const name of fs.readdirSync(layout.archive, { recursive: true, encoding: 'utf8' })) if (name.endsWith(`/${id}.md`)) found.push('archive');
  return found;
}

/** Works whatever is in line, waits, or is orphaned, to the end. */
export async function workOff(stage: Stage, goals: readonly Goal[]): Promise<void> {
  must(await stage.round('waiting'), 'letting go');
  if (reached(stage, goals)) return;
  const child = stage.snake();
  const ended = end(child);
  let over = false;
  void ended.then(() => (over = true));
  try {
    await stage.pit.until(`it has come to ${goals.map(({ state }) => state).join()}`, async () => {
      if (over || reached(stage, goals)) return true;
      if (stage.pit.files('waiting').length > 0) must(await stage.round('waiting'), 'letting go');
      return false;
    }, BRIEF_MS);
  } finally {
    child.kill('SIGTERM');
    must(await ended, 'the snake');
  }
}

/** A snake that was killed while a session works. */
async function killedAtWork(stage: Stage): Promise<void> {
  await inLine(stage, stage.witness.taskText(plan('x', { seconds: 30, leaves: 'marked' })).replace('sleep 30', '[ "$SNAKEPIT_ATTEMPT" -gt 1 ] || sleep 30'));
  const child = stage.snake();
  const ended = end(child);
  await stage.pit.until('it works', () => stage.witness.seen('x', 'start').length > 0, BRIEF_MS);
  child.kill('SIGKILL');
  await ended;
}

async function worked(stage: Stage, text: string, goals: readonly Goal[]): Promise<void> {
  await inLine(stage, text);
  await workOff(stage, goals);
}

/** Asks once, then goes on with the answer. */
const ASKS = `---
id: x
---
~~~sh
[ -n "$SNAKEPIT_ANSWER" ] && exit 0
printf '%s' '{"state":{"kind":"blocked-on-permission","source":"screen","rule":"asks","evidence":"May I?"},"since":1}' > "$SNAKEPIT_RUN_DIR/agent.json"
exec sleep 30
~~~
`;
const NEEDS: readonly Goal[] = [{ id: 'x', state: 'needs' }];
const nothing = async (): Promise<void> => undefined;
const quickly = (stage: Stage, fails = false): string => stage.witness.taskText(plan('x', { leaves: 'marked', habit: fails ? 'fails' : 'well' }));

/** The instance of the template, which exists once. */
function oneInstance({ pit: { layout } }: Stage): Goal[] {
  const ids = new Set<string>();
  for (const state of ['ready', 'waiting', 'claimed', 'done', 'failed'] as const) for (const name of fs.readdirSync(layout.dir(state))) ids.add(/\bt-\d{8}-\d{4,6}/.exec(name)?.[0] ?? 'no-instance');
  return (ids.size === 0 ? ['no-instance'] : [...ids]).map((id) => ({ id, state: 'done' }));
}

/** Of each log one line, and the log gone; what is no log is there. */
function eachLogOnce({ pit: { layout } }: Stage): string[] {
  const lines = fs.readdirSync(layout.digests).flatMap((name) => fs.readFileSync(join(layout.digests, name), 'utf8').trimEnd().split('\n'));
  // Half a line of whoever was killed while it wrote is none.
  const digested = lines.flatMap((line) => parseJson<{ log: string }>(line)?.log ?? []).sort().join();
  const run = join(layout.runs, 'x', fs.readdirSync(join(layout.runs, 'x'))[0] ?? '');
  const kept = ['outcome.json', 'output.log'].filter((name) => fs.existsSync(join(run, name))).join();
  return [
    ...(digested === 'home,output.log' ? [] : [`digested were: ${digested}`]),
    ...(kept === 'outcome.json' ? [] : [`of outcome.json and output.log there is: ${kept}`]),
    ...(fs.existsSync(join(layout.homes, 'x')) ? ['its home is left'] : []),
  ];
}

export const ACTORS = {
  drops: {
    arrange: async (stage) => stage.pit.dropTask('x.md', quickly(stage)),
    act: (stage, stop, list) => stage.round('drops', stop, list),
    again: (stage) => stage.round('drops'),
    goals: DONE,
  },
  add: {
    arrange: async (stage) => fs.writeFileSync(stage.pit.beside('x.md'), quickly(stage)),
    act: (stage, stop, list) => stage.cli(['add', stage.pit.beside('x.md')], stop, list),
    again: (stage) => stage.cli(['add', stage.pit.beside('x.md')]),
    goals: DONE,
  },
  snake: {
    arrange: (stage) => inLine(stage, quickly(stage)),
    act: (stage, stop, list) => snakeLife(stage, DONE, stop, list),
    again: nothing,
    goals: DONE,
  },
  'snake-reaped': {
    arrange: (stage) => inLine(stage, quickly(stage)),
    act: (stage, stop, list) => snakeLife(stage, DONE, stop, list),
    again: (stage) => stage.cli(['cleanup']),
    goals: DONE,
  },
  failing: {
    arrange: (stage) => inLine(stage, quickly(stage, true)),
    act: (stage, stop, list) => snakeLife(stage, [{ id: 'x', state: 'waiting' }], stop, list),
    again: nothing,
    goals: FAILED,
  },
  waiting: {
    arrange: async (stage) => {
      await inLine(stage, quickly(stage, true));
      await snakeLife(stage, [{ id: 'x', state: 'waiting' }]);
      await stage.pit.until('its back-off is over', () => Date.now() - fs.statSync(stage.pit.layout.dir('waiting')).mtimeMs > 200, BRIEF_MS);
    },
    act: (stage, stop, list) => stage.round('waiting', stop, list),
    again: (stage) => stage.round('waiting'),
    goals: FAILED,
  },
  reaper: {
    arrange: killedAtWork,
    act: (stage, stop, list) => stage.cli(['cleanup', '--only', 'reaper'], stop, list),
    again: (stage) => stage.cli(['cleanup', '--only', 'reaper']),
    goals: DONE,
  },
  retry: {
    arrange: async (stage) => {
      await worked(stage, `---\nid: x\nattempts: 1\n---\n~~~sh\n[ -e '${stage.pit.beside('mended')}' ]\n~~~\n`, FAILED);
      fs.writeFileSync(stage.pit.beside('mended'), '');
    },
    act: (stage, stop, list) => stage.cli(['retry', 'x'], stop, list),
    again: (stage) => stage.cli(['retry', 'x']),
    goals: DONE,
  },
  rerun: {
    arrange: async (stage) => {
      await worked(stage, `---\nid: x\nattempts: 1\n---\n~~~sh\n[ ! -e '${stage.pit.beside('broken')}' ]\n~~~\n`, DONE);
      fs.writeFileSync(stage.pit.beside('broken'), '');
    },
    act: (stage, stop, list) => stage.cli(['rerun', 'x'], stop, list),
    again: (stage) => stage.cli(['rerun', 'x']),
    goals: FAILED,
  },
  parking: {
    arrange: (stage) => inLine(stage, ASKS),
    act: (stage, stop, list) => snakeLife(stage, NEEDS, stop, list),
    again: nothing,
    goals: NEEDS,
  },
  answer: {
    arrange: (stage) => worked(stage, ASKS, NEEDS),
    act: (stage, stop, list) => stage.cli(['answer', 'x', 'yes'], stop, list),
    again: (stage) => stage.cli(['answer', 'x', 'yes']),
    goals: DONE,
  },
  recurring: {
    arrange: async (stage) => {
      fs.writeFileSync(join(stage.pit.layout.recurring, 't.md'), '---\nevery: 1h\ntz: UTC\n---\n~~~sh\ntrue\n~~~\n');
      must(await stage.round('recurring'), 'the first look');
      const file = join(stage.pit.layout.recurringState, 't.json');
      const record = JSON.parse(fs.readFileSync(file, 'utf8')) as { nextDueAt: number; anchorAt: number; at: number };
      const back = record.nextDueAt - Date.parse('2026-10-01T10:00:00Z');
      fs.writeFileSync(file, JSON.stringify({ ...record, nextDueAt: record.nextDueAt - back, anchorAt: record.anchorAt - back, at: record.at - back }));
    },
    act: (stage, stop, list) => stage.round('recurring', stop, list),
    again: (stage) => stage.round('recurring'),
    goals: (stage) => oneInstance(stage),
  },
  archive: {
    more: ['keep: 0s', 'keep-logs: 0s'],
    arrange: async (stage) => {
      await worked(stage, quickly(stage), DONE);
      fs.mkdirSync(join(stage.pit.layout.homes, 'x', 'shell'), { recursive: true });
    },
    act: (stage, stop, list) => stage.cli(['cleanup', '--only', 'archivist', 'composter'], stop, list),
    again: (stage) => stage.cli(['cleanup', '--only', 'archivist', 'composter']),
    goals: [{ id: 'x', state: 'archive' }],
    also: eachLogOnce,
  },
  reconciler: {
    arrange: async (stage) => {
      await worked(stage, quickly(stage), DONE);
      const { layout } = stage.pit;
      fs.rmSync(join(layout.dir('done'), 'x.result.md'));
      fs.writeFileSync(layout.snapshot, '{}');
      fs.writeFileSync(join(layout.snakes, 's2~1~1~00000000'), '');
      fs.writeFileSync(join(layout.tmp, '.x.md.1-1-00000000.abcdefghij.tmp'), '');
      fs.writeFileSync(join(layout.runs, 'x', fs.readdirSync(join(layout.runs, 'x'))[0] ?? '', 'launch.sh'), 'export KEY=secret\n');
    },
    act: (stage, stop, list) => stage.cli(['cleanup'], stop, list),
    again: (stage) => stage.cli(['cleanup']),
    goals: DONE,
  },
} as const satisfies Readonly<Record<string, Actor>>;

export type ActorName = keyof typeof ACTORS;
