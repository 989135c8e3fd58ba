import * as fs from 'node:fs';
import { join } from 'node:path';
import { inLine, must, quickly, workOff, type Actor, type Goal } from './acts.js';
import type { Stage } from './stage.js';

/* Tasks that end without having been tried: cancelled, or in need of one that failed. */

const UNTRIED: readonly Goal[] = [{ id: 'x', state: 'failed', untried: true }];

/** Whoever writes its story knows the reason. */
function storySays({ pit: { layout } }: Stage, words: string): string[] {
  const file = join(layout.dir('failed'), 'x.result.md');
  const story = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : 'nothing';
  return story.includes(words) ? [] : [`its story does not say "${words}": ${story}`];
}

export const ENDINGS = {
  cancel: {
    arrange: (stage) => inLine(stage, quickly(stage)),
    act: (stage, stop, list) => stage.cli(['cancel', 'x'], stop, list),
    again: (stage) => stage.cli(['cancel', 'x']),
    goals: UNTRIED,
    also: (stage) => storySays(stage, 'cancelled: a person cancelled it before it ran'),
  },
  dependent: {
    arrange: async (stage) => {
      stage.pit.dropTask('y.md', '---\nattempts: 1\n---\n~~~sh\nexit 3\n~~~\n');
      must(await stage.round('drops'), 'taking in');
      await workOff(stage, [{ id: 'y', state: 'failed' }]);
      await inLine(stage, '---\nid: x\nafter: [y]\n---\n~~~sh\ntrue\n~~~\n');
    },
    act: (stage, stop, list) => stage.round('waiting', stop, list),
    again: (stage) => stage.round('waiting'),
    goals: [...UNTRIED, { id: 'y', state: 'failed' }],
    also: (stage) => storySays(stage, 'it needs y, which failed'),
  },
} as const satisfies Readonly<Record<string, Actor>>;
