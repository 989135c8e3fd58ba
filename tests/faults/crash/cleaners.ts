import * as fs from 'node:fs';
import { gitIn } from '../../rig/repo.js';
import { BRIEF_MS, DONE, FAILED, inLine, must, plan, whereIs, worked, type Actor } from './acts.js';
import { end, type Ended, type Stage } from './stage.js';

/* Cleanup: over what lives, and over what may go. */

const snakes = new WeakMap<Stage, { readonly stop: () => void; readonly ended: Promise<Ended> }>();

/** The work of a worktree that is gone, or is about to be. */
function keptOnce({ pit: { root, layout } }: Stage): string[] {
  const kept = gitIn(root, 'show', 'refs/snakepit/salvage/x:loose.txt');
  const left = fs.readdirSync(layout.worktrees).join();
  return [...(kept === 'loose\n' ? [] : [`kept is: ${kept}`]), ...(left === '' ? [] : [`worktrees that are left: ${left}`])];
}

/** A failed task, with work in its worktree that nobody committed. */
const leavesWork = (stage: Stage): Promise<void> => worked(stage, '---\nid: x\nattempts: 1\n---\n~~~sh\necho loose > loose.txt\nexit 3\n~~~\n', FAILED);
/** The pruner acts on what the salvager did in an earlier run. */
async function bothRounds(stage: Stage): Promise<void> {
  for (let round = 0; round < 2; round += 1) await stage.cli(['cleanup', '--only', 'salvager', 'pruner']);
}
const WORKTREES = { repo: true, more: ['keep-worktrees: 0s'], again: bothRounds, goals: FAILED, also: keptOnce } as const;

export const CLEANERS = {
  'cleanup-live': {
    arrange: async (stage) => {
      const go = stage.pit.beside('go');
      await inLine(stage, stage.witness.taskText(plan('x', { seconds: 30 })).replace('sleep 30', `until [ -e '${go}' ]; do sleep 0.05; done`));
      const child = stage.snake();
      snakes.set(stage, { stop: () => child.kill('SIGTERM'), ended: end(child) });
      await stage.pit.until('it works', () => stage.witness.seen('x', 'start').length > 0, BRIEF_MS);
    },
    act: (stage, stop, list) => stage.cli(['cleanup'], stop, list),
    again: async (stage) => {
      await stage.cli(['cleanup']);
      fs.writeFileSync(stage.pit.beside('go'), '');
      const snake = snakes.get(stage);
      await stage.pit.until('its snake has ended the task', () => whereIs(stage, 'x').join() === 'done', BRIEF_MS);
      snake?.stop();
      if (snake !== undefined) must(await snake.ended, 'the snake');
    },
    goals: DONE,
    also: ({ witness }) => (witness.seen('x', 'start').length === 1 ? [] : ['a session that worked was disturbed']),
  },
  salvager: {
    ...WORKTREES,
    arrange: leavesWork,
    act: (stage, stop, list) => stage.cli(['cleanup', '--only', 'salvager'], stop, list),
  },
  pruner: {
    ...WORKTREES,
    arrange: async (stage) => {
      await leavesWork(stage);
      must(await stage.cli(['cleanup', '--only', 'salvager']).then((ended) => ({ ...ended, code: ended.code === 1 ? 0 : ended.code })), 'salvaging');
    },
    act: (stage, stop, list) => stage.cli(['cleanup', '--only', 'pruner'], stop, list),
  },
} as const satisfies Readonly<Record<string, Actor>>;

