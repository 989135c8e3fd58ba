import * as fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { hasEnded, head, isIn, story, withPit } from '../integration/rig.js';
import { COMMIT, gitIn, seedRepo } from '../rig/repo.js';
import { goes, order, playersConfig, say, settled, writePlan } from './play.js';

const go = goes();

describe('a workflow whose branch cannot be merged', { timeout: 240_000 }, () => {
  it('gets it back as a round of its own: the step that mends is told the files, the reviewer looks again, nobody else runs twice, and it is merged in the same attempt', () => {
    const { script, gate } = go();
    writePlan(script, {
      propose: [`while ! test -e ${gate}; do sleep 0.1; done; echo slow > a.txt; git add a.txt; ${COMMIT} slow; ${say.done('proposed')}`],
      fix: [`cp "$SNAKEPIT_FEEDBACK" "$SNAKEPIT_HANDED/seen.md"; git -c user.name=A -c user.email=a@b merge -q snakepit-main; printf 'fast\\nslow\\n' > a.txt; git add a.txt; ${COMMIT} both; cat "$SNAKEPIT_FEEDBACK" > why; git add why; ${COMMIT} why; ${say.done('mended')}`],
      review: [say.pass],
      solo: [`echo fast > a.txt; git add a.txt; ${COMMIT} fast; ${say.done('quick')}`],
    });
    return withPit({ bare: true, config: playersConfig(script, ['merge: no-ff']) }, async (pit) => {
      seedRepo(pit.root);
      await pit.up(2);
      pit.dropTask('slow.md', `${head('workflow: build-review', 'with: {agents: {review: critic}}')}# Slow\n\nWrite slow into a.txt.\n`);
      await pit.until('it is at work', () => order(script, 'slow').length === 1, 60_000);
      pit.dropTask('fast.md', '# Fast\n\nWrite fast into a.txt.\n');
      await pit.until('the other is merged', () => hasEnded(pit, 'done', 'fast') || settled(pit, 'fast'), 90_000);
      fs.writeFileSync(gate, '');
      await pit.until('it has ended', () => settled(pit, 'slow') || isIn(pit, 'needs', 'slow'), 120_000);
      expect(isIn(pit, 'done', 'slow'), story(pit, 'failed', 'slow')).toBe(true);
      expect(order(script, 'slow')).toEqual(['propose author', 'review critic', 'fix/2 author', 'review/2 critic']);
      expect(gitIn(pit.root, 'show', 'snakepit-main:a.txt')).toBe('fast\nslow\n');
      expect(gitIn(pit.root, 'show', 'snakepit-main:why')).toMatch(/Sent back[^]*merge-conflict: it conflicts with snakepit-main in a\.txt/);
      expect(story(pit, 'done', 'slow')).toMatch(/after 1 attempt[^]*sent back: merge-conflict/);
    });
  });
});
