import * as fs from 'node:fs';
import { BRIEF_MS, DONE, must, quickly, reached, type Actor } from './acts.js';
import { end, type Ended, type Stage, type Stop } from './stage.js';

/* The pit itself, from its start over the whole of a task to its end. */

const told = (stage: Stage): string => stage.pit.beside('told');

/** The daemon with one snake, until the task is done and the hook was called; then it is told to go down. */
async function pitLife(stage: Stage, stop?: Stop, list?: string): Promise<Ended> {
  const child = stage.daemon(stop, list);
  const ended = end(child);
  let over = false;
  void ended.then(() => (over = true));
  await stage.pit.until('its task is done, or it has died', () => over || (reached(stage, DONE) && fs.existsSync(told(stage))), BRIEF_MS);
  child.kill('SIGTERM');
  return ended;
}

export const PITS = {
  pit: {
    hooks: true,
    more: ["residents: {dev: {command: 'exec sleep 900'}}"],
    arrange: async (stage) => {
      fs.writeFileSync(stage.pit.layout.desired, '{"snakes":1,"mode":"run","generation":1}\n');
      stage.pit.dropTask('x.md', quickly(stage));
    },
    act: pitLife,
    again: async (stage) => {
      must(await stage.cli(['up', '-n', '1']), 'up');
      await stage.pit.until('its task is done, and the hook was called', () => reached(stage, DONE) && fs.existsSync(told(stage)), BRIEF_MS);
      must(await stage.cli(['down']), 'down');
    },
    goals: DONE,
    // Killed between the command and its receipt, a hook is called once more.
    also: (stage) => {
      const calls = fs.readFileSync(told(stage), 'utf8').split('\n').length - 1;
      return calls === 1 || calls === 2 ? [] : [`the hook was called ${calls} times`];
    },
  },
} as const satisfies Readonly<Record<string, Actor>>;
