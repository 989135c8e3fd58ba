import * as fs from 'node:fs';
import { join } from 'node:path';
import { tossedIds } from '../../../src/queue/children.js';
import { quieten, tmuxShim, type TmuxFaults } from '../../chaos/shims.js';
import { QUIET_TMUX } from '../../chaos/soak.js';
import { BRIEF_MS, DONE, inLine, NEEDS, nothing, quickly, snakeLife, whereIs, type Actor } from './acts.js';
import { end, type Ended, type Stage, type Stop } from './stage.js';

/* What dies inside a session, between a snake and tmux, and between a snake and git. */

/** A task that says a command of snakepit's, which may die in it; where it fails, so does the attempt. */
const says = (stage: Stage, words: string): string => quickly(stage).replace('exit 0\n~~~', `${stage.seamed(words)} || exit 9\nexit 0\n~~~`);

/** A snake works the task once; the command in its session dies at the stop. */
async function oneAttempt(stage: Stage, stop?: Stop, list?: string): Promise<Ended> {
  stage.orderSession(stop, list);
  const child = stage.snake();
  const ended = end(child);
  let over = false;
  void ended.then(() => (over = true));
  await stage.pit.until('its first attempt has ended', () => over || ['done', 'failed', 'needs', 'waiting'].includes(whereIs(stage, 'x').join()), BRIEF_MS);
  child.kill('SIGTERM');
  const gone = await ended;
  return stage.sessionDied() ? { ...gone, signal: 'SIGKILL' } : gone;
}

/** tmux fails at each call of the snake's, in one way. */
const tmux = (faults: Partial<TmuxFaults>): Actor => ({
  arrange: (stage) => inLine(stage, quickly(stage)),
  act: async (stage) => {
    const shim = tmuxShim(stage.pit.beside('bin'), { ...QUIET_TMUX, ...faults });
    stage.path = `${shim}:${stage.path}`;
    const ended = await snakeLife(stage, DONE);
    quieten(shim);
    return ended;
  },
  again: nothing,
  goals: DONE,
});

export const SESSIONS = {
  'says-done': {
    arrange: (stage) => inLine(stage, says(stage, 'done it is done')),
    act: oneAttempt,
    again: nothing,
    goals: DONE,
  },
  asks: {
    arrange: (stage) => inLine(stage, says(stage, "ask 'which way?'")),
    act: oneAttempt,
    again: nothing,
    goals: NEEDS,
  },
  tosses: {
    more: ['toss: {depth: 1, per-task: 2, commands: true}'],
    arrange: (stage) => {
      fs.writeFileSync(stage.pit.beside('part.md'), '~~~sh\ntrue\n~~~\n');
      // Said again where it is in line already, it is refused.
      return inLine(stage, says(stage, `toss '${stage.pit.beside('part.md')}'`).replace(' || exit 9', ` || [ -n "$(find '${stage.pit.layout.queue}' -name '*part*.md')" ] || exit 9`));
    },
    act: oneAttempt,
    again: nothing,
    goals: [...DONE, { id: 'part', state: 'done' }],
    also: ({ pit: { layout } }) => {
      const counted = tossedIds(fs.readdirSync(join(layout.runs, 'x', 'tossed'))).join();
      return counted === 'part' ? [] : [`counted as tossed: ${counted}`];
    },
  },
  'reply-lost': tmux({ lies: 1000 }),
  'launched-twice': tmux({ launchesTwice: 1000 }),
  'launched-late': tmux({ launchesLate: 1000 }),
} as const satisfies Readonly<Record<string, Actor>>;
