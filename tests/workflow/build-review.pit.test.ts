import * as fs from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { head, isIn, read, story, withPit } from '../integration/rig.js';
import { attemptsOf, goes, order, played, playersConfig, say, settled, writePlan } from './play.js';

const go = goes();
let script = '';
beforeEach(() => {
  ({ script } = go());
});

const TASK = `${head('workflow: build-review', 'with: {rounds: 2, agents: {review: critic}}')}# Greet\n\nWrite hello into greeting.txt.\n`;

describe('build-review', { timeout: 120_000 }, () => {
  it('proposes, is rejected, mends, is passed: each a session of its own, the reviewer another program, and the rejected work is kept', async () => {
    writePlan(script, {
      propose: [`echo played by author; echo helo > greeting.txt; ${say.done('proposed')}`],
      review: [`echo played by critic; printf '1. greeting.txt:1: helo: write hello\\n' > "$SNAKEPIT_STEP_DIR/feedback.md"; ${say.reject('a slip')}`, `echo played by critic; ${say.pass}`],
      fix: [`grep -q helo greeting.txt && cp "$SNAKEPIT_FEEDBACK" "$SNAKEPIT_HANDED/seen.md" && echo hello > greeting.txt; ${say.done('mended')}`],
    });
    await withPit({ config: playersConfig(script) }, async (pit) => {
      await pit.up(1);
      pit.dropTask('greet.md', TASK);
      await pit.until('the task is done', () => settled(pit, 'greet'));
      expect(order(script)).toEqual(['propose author', 'review critic', 'fix/2 author', 'review/2 critic']);
      const seen = played(script);
      expect(new Set(seen.map(({ pid }) => pid)).size).toBe(4);
      expect(seen.map(({ env }) => env['WHO'])).toEqual(['the author', 'the critic', 'the author', 'the critic']);
      expect(new Set(seen.map(({ env }) => env['SNAKEPIT_RUN_DIR'])).size).toBe(4);
      expect(new Set(seen.map(({ env }) => env['SNAKEPIT_CLAIM'])).size).toBe(1);
      const text = story(pit, 'done', 'greet');
      expect(text).toContain('**it says**: mended');
      expect(text).toMatch(/review, round 1 \(critic, .*\): REJECT; it says: a slip/);
      const [base = ''] = attemptsOf(pit, 'greet');
      expect(read(join(base, 'work', 'greeting.txt'))).toBe('hello\n');
      expect(read(join(base, 'handed', 'iter-001.md'))).toContain('greeting.txt:1: helo: write hello');
      expect(read(join(base, 'handed', 'seen.md'))).toBe(read(join(base, 'handed', 'iter-001.md')));
      expect(fs.readdirSync(join(base, 'steps'))).toEqual(['01-propose', '02-review', '03-fix-r2', '04-review-r2']);
      // Each session's own log, by its step and its round.
      const heads = ['# attempt 1, 01-propose: author', '# attempt 1, 02-review: critic', '# attempt 1, 03-fix-r2: author', '# attempt 1, 04-review-r2: critic'];
      expect((await pit.ok('logs', 'greet', '--all')).split('\n').filter((line) => line.startsWith('# '))).toEqual(heads);
      expect((await pit.ok('logs', 'greet', '--all', '--step', 'review')).split('\n').filter((line) => line.startsWith('# '))).toEqual([heads[1], heads[3]]);
      for (const [step, mark] of [['propose', 'author'], ['02-review', 'critic'], ['review', 'critic']]) expect(await pit.ok('logs', 'greet', '--step', step ?? '')).toContain(`played by ${mark}`);
      expect(await pit.cli('logs', 'greet', '--step', 'nobody')).toMatchObject({ code: 66, stderr: 'snakepit: greet has no step nobody; there is 01-propose, 02-review, 03-fix-r2, 04-review-r2\n' });
      const ends = pit.events().flatMap((event) => (event.kind === 'step-ended' ? [`${event.step} ${event.round} ${event.verdict}`] : []));
      expect(ends).toEqual(['propose 1 ', 'review 1 reject', 'fix 2 ', 'review 2 pass']);
    });
  });

  it('rounds that are used up are a question to a person, who may give more, with words; then the checks send it back once more', async () => {
    writePlan(script, {
      propose: [say.done('one')],
      fix: [say.done('two'), `cp "$SNAKEPIT_FEEDBACK" "$SNAKEPIT_HANDED/words.md"; ${say.done('three')}`, `echo ok > checked; ${say.done('four')}`],
      review: [say.reject('no'), say.reject('NOT PASS'), say.pass],
    });
    await withPit({ config: playersConfig(script) }, async (pit) => {
      await pit.up(1);
      pit.dropTask('greet.md', TASK.replace('with:', 'verify: test -f checked\nwith:'));
      await pit.until('it asks', () => isIn(pit, 'needs', 'greet') && read(join(pit.layout.dir('needs'), 'greet.question.md')) !== '');
      const question = read(join(pit.layout.dir('needs'), 'greet.question.md'));
      expect(question).toContain('snakepit answer greet accept');
      expect(question).toMatch(/handed\/latest\.md/);
      expect(order(script)).toHaveLength(4);
      await pit.ok('answer', 'greet', 'more 2 look at the', 'greeting');
      await pit.until('it is done', () => settled(pit, 'greet'));
      expect(order(script).slice(4)).toEqual(['fix/3 author', 'review/3 critic', 'fix/4 author', 'review/4 critic']);
      expect(read(join(attemptsOf(pit, 'greet').at(-1) ?? '', 'handed', 'words.md'))).toContain('A person says: look at the greeting');
      expect(isIn(pit, 'done', 'greet')).toBe(true);
    });
  });

  it('a person accepts, or rejects, what no review passed', async () => {
    writePlan(script, { review: [say.reject('no')] });
    await withPit({ config: playersConfig(script) }, async (pit) => {
      await pit.up(2);
      for (const id of ['one', 'two']) pit.dropTask(`${id}.md`, TASK);
      await pit.until('both ask', () => isIn(pit, 'needs', 'one') && isIn(pit, 'needs', 'two'), 60_000);
      await pit.ok('answer', 'one', 'accept');
      await pit.ok('answer', 'two', 'reject', 'not', 'wanted');
      await pit.until('both have ended', () => settled(pit, 'one') && settled(pit, 'two'));
      expect(order(script, 'one')).toHaveLength(4);
      expect(story(pit, 'failed', 'two')).toContain('review-rejected');
    });
  });

  it('a snake and its pit killed in the middle of a step: the next goes on there, the session lives on, and no step runs twice', async () => {
    const { gate } = go();
    writePlan(script, { propose: [say.done('one')], review: [`while ! test -e ${gate}; do sleep 0.1; done; ${say.pass}`] });
    await withPit({ config: playersConfig(script) }, async (pit) => {
      await pit.up(1);
      pit.dropTask('greet.md', TASK);
      await pit.until('the review runs', () => order(script).length === 2);
      const daemon = await pit.daemon();
      for (const { process: one } of await pit.snakes()) await pit.kill(one);
      if (daemon !== undefined) await pit.kill(daemon);
      await pit.until('the pit is dead', async () => (await pit.daemon()) === undefined);
      expect(await pit.ok('explain', 'greet')).toContain('build-review at review, round 1 of at most 2');
      await pit.up(1);
      fs.writeFileSync(gate, '');
      await pit.until('it is done', () => settled(pit, 'greet'));
      expect(order(script)).toEqual(['propose author', 'review critic']);
      expect(story(pit, 'done', 'greet')).toContain('after 1 attempt');
    });
  });

  it('a session of a step that is lost is the only one that runs again; reviewers of the author\'s provider are refused where others are wanted', async () => {
    writePlan(script, { propose: [`echo one >> work; ${say.done('one')}`], review: [`kill -9 $PPID $$`, say.pass] });
    await withPit({ config: playersConfig(script) }, async (pit) => {
      await pit.up(1);
      pit.dropTask('greet.md', TASK);
      await pit.until('it is done', () => settled(pit, 'greet'));
      expect(order(script)).toEqual(['propose author', 'review critic', 'review critic']);
      expect(isIn(pit, 'done', 'greet')).toBe(true);
      pit.dropTask('alone.md', TASK.replace('rounds: 2, agents: {review: critic}', 'other-than: author, reviewers: [author]'));
      await pit.until('it has failed', () => settled(pit, 'alone'));
      expect(story(pit, 'failed', 'alone')).toContain("wants an agent of another provider than its author's (of-author)");
      pit.dropTask('other.md', TASK.replace('rounds: 2, agents: {review: critic}', 'other-than: author, reviewers: [[author, critic]]'));
      await pit.until('it is done', () => settled(pit, 'other'));
      expect(order(script, 'other')).toEqual(['propose author', 'review critic', 'review critic']);
    });
  });

  it('a reviewer that writes to the tree fails its step, and the step alone runs again', async () => {
    writePlan(script, { propose: [`echo a > a; ${say.done('x')}`], review: [`echo b > a; ${say.pass}`, say.pass] });
    await withPit({ config: playersConfig(script) }, async (pit) => {
      await pit.up(1);
      pit.dropTask('greet.md', TASK);
      await pit.until('it is done', () => settled(pit, 'greet'));
      expect(order(script)).toEqual(['propose author', 'review critic', 'review critic']);
      const text = story(pit, 'done', 'greet');
      expect(text).toContain('step-broken: review: it may only read, and the tree has changed: changed a');
      expect(text).toContain('after 2 attempts');
    });
  });
});
