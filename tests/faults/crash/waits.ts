import * as fs from 'node:fs';
import { join } from 'node:path';
import { parseJson } from '../../../src/protocol/records.js';
import { tossedIds } from '../../../src/queue/children.js';
import { BRIEF_MS, DONE, inLine, must, nothing, quickly, reached, snakeLife, type Actor, type Goal } from './acts.js';
import { end, type Ended, type Stage, type Stop } from './stage.js';

/* Tasks that wait: for the children that they tossed, for an account at its limit. */

const SPLIT = 'title: tosses a part and waits for it\nsteps:\n  - {step: plan, prompt: Do it.}\n  - {await: children}\n';
const BOTH: readonly Goal[] = [...DONE, { id: 'part', state: 'done' }];
const AWAITS: readonly Goal[] = [{ id: 'x', state: 'waiting' }];

/** A task that tosses a part in its one session, and then waits for it. */
async function splits(stage: Stage): Promise<void> {
  fs.mkdirSync(join(stage.pit.root, 'workflows'), { recursive: true });
  fs.writeFileSync(join(stage.pit.root, 'workflows', 'split.yaml'), SPLIT);
  fs.writeFileSync(stage.pit.beside('part.md'), '~~~sh\ntrue\n~~~\n');
  await inLine(stage, quickly(stage).replace('workspace: scratch', 'workspace: scratch\nworkflow: split').replace('exit 0\n~~~', `"$SNAKEPIT_COMMAND" toss '${stage.pit.beside('part.md')}' || exit 9\nexit 0\n~~~`));
}

function tossedOnce({ pit: { layout } }: Stage): string[] {
  const counted = tossedIds(fs.readdirSync(join(layout.runs, 'x', 'tossed'))).join();
  return counted === 'part' ? [] : [`counted as tossed: ${counted}`];
}

/** At its limit the first time that it is asked; it leaves the lines of the witness, and answers before it ends. */
const LIMITED = [
  'at="$SNAKEPIT_QUEUE/../../"',
  'if [ ! -e "$at/limited" ]; then : > "$at/limited"; printf \'{"type":"result","error":"limit"}\\n\'; exit 1; fi',
  'printf "start %s\\n" "$SNAKEPIT_CLAIM" >> "$at/witness/lines/x"',
  'printf \'{"type":"assistant","text":"at it"}\\n{"type":"result","text":"it is done"}\\n\'',
].join('\n');
const RULES = [
  { id: 'answers', match: { type: 'assistant' }, state: 'working', answer: 'text' },
  { id: 'limit', match: { type: 'result', error: 'limit' }, state: 'usage-limited', detail: 'error' },
  { id: 'result', match: { type: 'result', text: '*' }, state: 'finished', answer: 'text' },
];
const LIMITED_AGENT: readonly string[] = [
  'breaker: {floor: 100ms, margin: 0s, first: 100ms, max: 1s, stagger: 100ms, release: 200ms, failures: 5}',
  `agents: ${JSON.stringify({ fake: { extends: 'command', account: 'theirs', binary: '/bin/sh', headless: { argv: ['/bin/sh', '-c', LIMITED], prompt: 'stdin', output: 'jsonl', rules: RULES } } })}`,
];

/** A snake until its tasks have ended, with the pit's rounds over what waits. */
async function withRounds(stage: Stage, goals: readonly Goal[], stop?: Stop, list?: string): Promise<Ended> {
  const child = stage.snake(stop, list);
  const ended = end(child);
  let over = false;
  void ended.then(() => (over = true));
  await stage.pit.until('its tasks have come to their end, or it has', async () => {
    if (over || reached(stage, goals)) return true;
    if (stage.pit.files('waiting').length > 0) must(await stage.round('waiting'), 'letting go');
    return false;
  }, BRIEF_MS);
  child.kill('SIGTERM');
  return ended;
}

/** Nobody holds the account shut. */
function reopened({ pit: { layout } }: Stage): string[] {
  const file = join(layout.breakers, 'theirs.json');
  const kind = parseJson<{ state: { kind: string } }>(fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined)?.state.kind ?? 'closed';
  return kind === 'closed' || kind === 'releasing' ? [] : [`the breaker of its account is ${kind}`];
}

export const WAITS = {
  splitting: {
    more: ['toss: {depth: 1, per-task: 2, commands: true}'],
    arrange: splits,
    act: (stage, stop, list) => snakeLife(stage, AWAITS, stop, list),
    again: nothing,
    goals: BOTH,
    also: tossedOnce,
  },
  'children-ended': {
    more: ['toss: {depth: 1, per-task: 2, commands: true}'],
    arrange: async (stage) => {
      await splits(stage);
      // Nobody lets it go meanwhile.
      await snakeLife(stage, [...AWAITS, { id: 'part', state: 'done' }]);
    },
    act: (stage, stop, list) => stage.round('waiting', stop, list),
    again: (stage) => stage.round('waiting'),
    goals: BOTH,
    also: tossedOnce,
  },
  limited: {
    more: LIMITED_AGENT,
    arrange: (stage) => inLine(stage, '---\nid: x\nagent: fake\nattempts: 1\nworkspace: scratch\n---\nDo it.\n'),
    act: (stage, stop, list) => withRounds(stage, DONE, stop, list),
    again: nothing,
    goals: DONE,
    also: reopened,
  },
} as const satisfies Readonly<Record<string, Actor>>;
