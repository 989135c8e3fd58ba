import * as fs from 'node:fs';
import { join } from 'node:path';
import { actorProfile } from '../../rig/actor.js';
import { BRIEF_MS, DONE, must, quickly, reached, type Actor } from './acts.js';
import { end, type Ended, type Stage, type Stop } from './stage.js';

/* The pit itself, from its start over the whole of a task to its end. */

const told = (stage: Stage): string => stage.pit.beside('told');

/** The daemon with one snake, until its task is done and somebody knows of it; then it is told to go down. */
const pitLife = (known: (stage: Stage) => boolean) => async (stage: Stage, stop?: Stop, list?: string): Promise<Ended> => {
  const child = stage.daemon(stop, list);
  const ended = end(child);
  let over = false;
  void ended.then(() => (over = true));
  await stage.pit.until('its task is done and known, or it has died', () => over || (reached(stage, DONE) && known(stage)), BRIEF_MS);
  child.kill('SIGTERM');
  return ended;
};

/** The next one, until the same; then `down`. */
const nextPit = (known: (stage: Stage) => boolean) => async (stage: Stage): Promise<void> => {
  must(await stage.cli(['up', '-n', '1']), 'up');
  await stage.pit.until('its task is done and known', () => reached(stage, DONE) && known(stage), BRIEF_MS);
  must(await stage.cli(['down']), 'down');
};

const oneTask = async (stage: Stage): Promise<void> => {
  fs.writeFileSync(stage.pit.layout.desired, '{"snakes":1,"mode":"run","generation":1}\n');
  stage.pit.dropTask('x.md', quickly(stage));
};

const hookCalled = (stage: Stage): boolean => fs.existsSync(told(stage));

/** A resident in its full screen, which is told by a ping when a task is done. */
const LISTENER: readonly string[] = [
  'agents:', ...actorProfile(),
  `residents: ${JSON.stringify({ boss: { agent: 'actor', mode: 'interactive', every: '1h', prompt: 'ACTOR: {"attempts":[[[{"say":"I listen."}]]]}' } })}`,
  `pings: ${JSON.stringify([{ name: 'ended', on: { settled: { state: 'done' } }, to: 'boss', message: '{task} is done' }])}`,
];

/** What was typed to it, over all of its sessions. */
function heard({ pit: { layout } }: Stage): string[] {
  if (!fs.existsSync(join(layout.residents, 'boss'))) return [];
  const files = fs.readdirSync(join(layout.residents, 'boss'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('events.jsonl'));
  return files.flatMap((name) => fs.readFileSync(join(layout.residents, 'boss', name), 'utf8').split('\n')).filter((line) => line.includes('"event":"prompt"')).map((line) => (JSON.parse(line) as { prompt: string }).prompt);
}

/** It has heard of it, or it is told why it has not. */
const pinged = (stage: Stage): boolean =>
  heard(stage).includes('x is done') || stage.pit.events().some((event) => event.kind === 'ping-dropped' || (event.kind === 'ping-delivered' && event.receipt === 'unconfirmed'));

export const PITS = {
  pit: {
    hooks: true,
    more: ["residents: {dev: {command: 'exec sleep 900'}}"],
    arrange: oneTask,
    act: pitLife(hookCalled),
    again: nextPit(hookCalled),
    goals: DONE,
    // Killed between the command and its receipt, a hook is called once more.
    also: (stage) => {
      const calls = fs.readFileSync(told(stage), 'utf8').split('\n').length - 1;
      return calls === 1 || calls === 2 ? [] : [`the hook was called ${calls} times`];
    },
  },
  'pit-resident': {
    more: LISTENER,
    arrange: oneTask,
    act: pitLife(pinged),
    again: nextPit(pinged),
    goals: DONE,
    also: (stage) => (heard(stage).filter((text) => text === 'x is done').length <= 1 ? [] : [`it was told: ${heard(stage).join('; ')}`]),
  },
} as const satisfies Readonly<Record<string, Actor>>;
