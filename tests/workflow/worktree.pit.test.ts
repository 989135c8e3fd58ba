import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { head, isIn, story, withPit } from '../integration/rig.js';
import { COMMIT, gitIn, seedRepo } from '../rig/repo.js';
import { goes, order, played, playersConfig, say, settled, writePlan } from './play.js';

const go = goes();

/** A workflow of a person's own: built until a file lies there, then until a line is handed on, then read. */
const MINE = `title: until there is enough
steps:
  - loop: until-command
    max: 4
    until: {command: 'test -e enough'}
    steps: [{step: build, prompt: build it}]
  - loop: until-file
    max: 4
    until: {file: state.md, line: 'DONE'}
    steps: [{step: polish, prompt: polish it}]
  - {step: look, rights: read, prompt: look at it}
`;

describe('a workflow in a git worktree', { timeout: 180_000 }, () => {
  it('loops end by a command and by a line; a step that reads may leave what git ignores, and fails by a commit; all are told the rules of a worktree', () => {
    const { script } = go();
    writePlan(script, {
      build: [`echo one > one; git add one; ${COMMIT} one; ${say.done('one')}`, `echo two > enough; ${say.done('two')}`],
      polish: [`echo 'not DONE' > "$SNAKEPIT_HANDED/state.md"; ${say.done('three')}`, `echo DONE > "$SNAKEPIT_HANDED/state.md"; git add enough; ${COMMIT} enough; ${say.done('four')}`],
      look: [`echo three > one; git add one; ${COMMIT} three; ${say.done('seen')}`, `mkdir -p node_modules; echo x > node_modules/x; ${say.done('seen')}`],
    });
    return withPit({ bare: true, config: playersConfig(script) }, async (pit) => {
      seedRepo(pit.root);
      fs.mkdirSync(join(pit.root, 'workflows'));
      fs.writeFileSync(join(pit.root, 'workflows', 'mine.yaml'), MINE);
      await pit.up(1);
      pit.dropTask('t.md', `${head('workflow: mine')}# A task\n\nDo it.\n`);
      await pit.until('it has ended', () => settled(pit, 't'), 120_000);
      expect(isIn(pit, 'done', 't'), story(pit, 'failed', 't')).toBe(true);
      expect(order(script)).toEqual(['build author', 'build/2 author', 'polish author', 'polish/2 author', 'look author', 'look author']);
      expect(story(pit, 'done', 't')).toMatch(/step-broken: look: it may only read, and the tree has changed/);
      const prompts = played(script).map(({ prompt }) => prompt);
      expect(prompts.every((prompt) => prompt.includes('$SNAKEPIT_BRANCH'))).toBe(true);
      expect(prompts.map((prompt) => prompt.includes('Commit there as you go'))).toEqual([true, true, true, true, false, false]);
      expect(gitIn(pit.root, 'show', 'snakepit/t:enough')).toBe('two\n');
    });
  });
});
