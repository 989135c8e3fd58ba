import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { background, head, isIn, story, withPit } from '../integration/rig.js';
import { actorProfile, actorTask } from '../rig/actor.js';
import { attemptsOf, goes, order, playersConfig, say, settled, writePlan } from './play.js';

const go = goes();

describe('a workflow', { timeout: 240_000 }, () => {
  it('has a full-screen session for a reviewer, whose account comes to its limit: the task waits, that step alone runs again, and its verdict counts; logs -f goes on from step to step', () => {
    const { script, gate } = go();
    writePlan(script, { propose: [`test "$SNAKEPIT_TASK_ID" = read || { ${say.done('proposed')}; exit; }; echo first words; while ! test -e ${gate}; do sleep 0.1; done; ${say.done('proposed')}`], review: [`echo second words; ${say.pass}`] });
    const verdict = (word: string): { run: string } => ({ run: `"$SNAKEPIT_COMMAND" done --verdict ${word} looked` });
    const config = [...playersConfig(script, ['breaker: {floor: 500ms, margin: 0s, first: 1s, max: 4s, stagger: 100ms, release: 500ms, failures: 5}']), ...actorProfile('screen')];
    return withPit({ config }, async (pit) => {
      await pit.up(2);
      pit.dropTask('seen.md', actorTask([[[{ limit: 3 }]], [[{ say: 'looked' }, verdict('PASS')]]], ['workflow: build-review', 'with: {rounds: 2, agents: {review: screen}}']));
      pit.dropTask('read.md', `${head('workflow: build-review', 'with: {agents: {review: critic}}')}# Read\n\nDo it.\n`);
      await pit.until('the first words came', () => order(script, 'read').length === 1, 60_000);
      const follow = background(pit, 'logs', '-f', 'read');
      await pit.until('they are followed', () => follow.output().includes('first words'), 60_000);
      fs.writeFileSync(gate, '');
      expect(await follow.ended).toBe(0);
      expect(follow.output()).toMatch(/first words[^]*read goes on with 02-review[^]*second words/);
      await pit.until('both have ended', () => settled(pit, 'seen') && settled(pit, 'read'), 120_000);
      expect(isIn(pit, 'done', 'seen'), story(pit, 'failed', 'seen')).toBe(true);
      expect(order(script, 'seen')).toEqual(['propose author']);
      expect(story(pit, 'done', 'seen')).toMatch(/usage-limited[^]*review, round 1 \(screen, .*\): PASS/);
      // An attempt that was let go again, since the account was shut still, has no end.
      const ends = attemptsOf(pit, 'seen').map((dir) => join(dir, 'outcome.json')).filter(fs.existsSync).map((file) => (JSON.parse(fs.readFileSync(file, 'utf8')) as { outcome: { kind: string } }).outcome.kind);
      expect(ends).toEqual(['done', 'deferred']);
    });
  });
});
