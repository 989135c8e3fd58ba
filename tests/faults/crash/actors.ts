import * as fs from 'node:fs';
import { join } from 'node:path';
import { parseJson } from '../../../src/protocol/records.js';
import { BRIEF_MS, DONE, FAILED, inLine, killedAtWork, must, NEEDS, nothing, quickly, snakeLife, worked, type Actor, type Goal } from './acts.js';
import { CLEANERS } from './cleaners.js';
import { ENDINGS } from './endings.js';
import { SESSIONS } from './sessions.js';
import { MERGES } from './merges.js';
import { PITS } from './pits.js';
import type { Stage } from './stage.js';
import { WAITS } from './waits.js';

/* What is killed, step by step: how its world is laid, how it is run once, and where its tasks must come to in the end. */

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
  ...CLEANERS,
  ...ENDINGS,
  ...SESSIONS,
  ...MERGES,
  ...WAITS,
  ...PITS,
} as const satisfies Readonly<Record<string, Actor>>;

export type ActorName = keyof typeof ACTORS;
