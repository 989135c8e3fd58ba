import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasEnded, head, isIn, read, story, withPit } from '../integration/rig.js';
import type { Pit } from '../rig/pit.js';
import { goes, order, playersConfig, say, settled, writePlan } from './play.js';

const go = goes();

/** A planner that tosses children, each of them a session of the same agent. `keys`: of their front matter. */
const toss = (ids: readonly string[], ...keys: readonly string[]): string => ids.map((id) => `printf -- '---\\n${['attempts: 1', ...keys].join('\\n')}\\n---\\n# ${id}\\n\\nDo it.\\n' > "$SNAKEPIT_STEP_DIR/${id}.md"; "$SNAKEPIT_COMMAND" toss "$SNAKEPIT_STEP_DIR/${id}.md" || exit 1; printf -- '- ${id}: a part\\n' >> "$SNAKEPIT_HANDED/plan.md"`).join('; ');
const task = (...keys: readonly string[]): string => `${head('workflow: plan-and-split', ...keys)}# A big task\n\nDo all of it.\n`;
const plannedBy = (plans: Readonly<Record<string, string>>): string[] => [`case "$SNAKEPIT_TASK_ID" in ${Object.entries(plans).map(([id, line]) => `${id}) ${line};;`).join(' ')} esac; ${say.done('planned')}`];
const question = (pit: Pit, id: string): string => read(join(pit.layout.dir('needs'), `${id}.question.md`));
const done = (pit: Pit, id: string): Promise<unknown> => pit.until(`${id} is done`, () => hasEnded(pit, 'done', id) || settled(pit, id), 120_000).then(() => expect(isIn(pit, 'done', id), story(pit, 'failed', id)).toBe(true));

describe('plan-and-split', { timeout: 240_000 }, () => {
  it('children are held until a person lets them go; the task waits with no session and no snake, through the death of pit and snake; then the whole is brought together, rejected, mended and passed', () => {
    const { script } = go();
    writePlan(script, { plan: [`${toss(['big-a', 'big-b', 'big-a'])}; ${say.done('planned')}`], close: [say.done('brought together')], review: [say.reject('a part is missing'), say.pass], mend: [say.done('mended')] });
    return withPit({ config: playersConfig(script) }, async (pit) => {
      await pit.up(1);
      pit.dropTask('big.md', task('with: {hold: true, agents: {review: critic}}'));
      await pit.until('it waits', () => isIn(pit, 'waiting', 'big') || settled(pit, 'big'), 60_000);
      expect(['big-a', 'big-b'].map((id) => isIn(pit, 'held', id)), story(pit, 'failed', 'big')).toEqual([true, true]);
      const daemon = await pit.daemon();
      for (const { process: one } of await pit.snakes()) await pit.kill(one);
      if (daemon !== undefined) await pit.kill(daemon);
      await pit.until('the pit is dead', async () => (await pit.daemon()) === undefined);
      for (const command of ['explain', 'show', 'ls']) expect(await pit.ok(...(command === 'ls' ? [command] : [command, 'big']))).toMatch(/waits for big-a \(which needs a person\)/);
      expect(await pit.ok('show', 'big')).toMatch(/tossed {4}2 on their way \(big-a, big-b\)/);
      await pit.up(1);
      await pit.ok('release', 'big-a', 'big-b');
      await done(pit, 'big');
      expect(order(script)).toEqual(['plan author', 'solo author', 'solo author', 'close author', 'review critic', 'mend/2 author', 'review/2 critic']);
      expect(story(pit, 'done', 'big')).toMatch(/waits for its children: big-a, big-b/);
    });
  });

  it('a child that fails is a question, asked when all have ended: tried again it is waited for once more, and no step runs twice; given up, the task goes on without it', () => {
    const { dir: own, script } = go();
    writePlan(script, { plan: plannedBy({ big: toss(['part', 'other']), less: toss(['lost', 'good']), strict: toss(['bad']) }), solo: [`case "$SNAKEPIT_TASK_ID" in other|good) ;; *) test -e "${own}/mended-$SNAKEPIT_TASK_ID" || "$SNAKEPIT_COMMAND" fail 'not today';; esac`] });
    return withPit({ config: playersConfig(script) }, async (pit) => {
      await pit.up(2);
      for (const id of ['big', 'less']) pit.dropTask(`${id}.md`, task('with: {close: false}'));
      pit.dropTask('strict.md', task('with: {close: false}', 'ask: fail', 'attempts: 1'));
      await pit.until('both ask', () => ['big', 'less'].every((id) => question(pit, id) !== '' || settled(pit, id)), 120_000);
      expect(question(pit, 'big'), story(pit, 'failed', 'big')).toMatch(/of its children, part failed[^]*snakepit retry part/);
      expect(question(pit, 'less')).toMatch(/its children: 1 done, failed: lost/);
      writePlan(join(own, 'mended-part'), {});
      await pit.ok('retry', 'part');
      await pit.ok('answer', 'big');
      await pit.ok('answer', 'less', 'accept');
      await done(pit, 'big');
      await done(pit, 'less');
      expect(['big', 'less'].map((id) => order(script, id))).toEqual([['plan author'], ['plan author']]);
      await pit.until('it fails', () => settled(pit, 'strict'), 60_000);
      expect(story(pit, 'failed', 'strict')).toMatch(/children-failed: of its children, bad failed/);
    });
  });

  it('none tossed fails it, and so do more than are allowed; children of children; one that asks a person; a review that never passes; what a cancelled one tossed is named', () => {
    const { script } = go();
    writePlan(script, {
      plan: plannedBy({ none: `printf -- '- none: at all\\n' > "$SNAKEPIT_HANDED/plan.md"`, many: toss(['m1', 'm2', 'm3', 'm4']), deep: toss(['deep-a'], 'workflow: plan-and-split', 'with: {close: false}'), 'deep-a': toss(['deep-b'], 'workflow: plan-and-split'), 'deep-b': toss(['deep-c']), asks: toss(['asking']), off: toss(['sleeper'], 'in: 9h') }),
      solo: [`test "$SNAKEPIT_TASK_ID" != asking || test "$SNAKEPIT_ATTEMPT" = 2 || "$SNAKEPIT_COMMAND" ask 'red or blue?'`],
      review: [say.reject('no')],
    });
    return withPit({ config: playersConfig(script, ['toss: {per-task: 3}']) }, async (pit) => {
      await pit.up(2);
      for (const id of ['none', 'many', 'deep', 'off']) pit.dropTask(`${id}.md`, task('attempts: 1', 'with: {close: false}'));
      pit.dropTask('asks.md', task('with: {rounds: 1}'));
      await pit.until('two have failed', () => ['none', 'many'].every((id) => settled(pit, id)), 120_000);
      expect(story(pit, 'failed', 'none')).toContain('step-broken: it tossed no task that it could wait for');
      expect(story(pit, 'failed', 'many')).toMatch(/plan/);
      expect(['m1', 'm2', 'm3', 'm4'].map((id) => (['ready', 'claimed', 'done'] as const).some((state) => isIn(pit, state, id)))).toEqual([true, true, true, false]);
      await pit.until('a child asks', () => question(pit, 'asking') !== '', 120_000);
      await pit.until('its parent waits', () => isIn(pit, 'waiting', 'asks'), 60_000);
      expect(await pit.ok('explain', 'asks')).toContain('waits for asking (which needs a person)');
      await pit.ok('answer', 'asking', 'red');
      await pit.until('the review asks', () => question(pit, 'asks') !== '', 120_000);
      expect(order(script, 'asks')).toEqual(['plan author', 'close author', 'review author']);
      await pit.until('it waits for a sleeper', () => isIn(pit, 'waiting', 'off'), 60_000);
      expect(await pit.ok('cancel', 'off')).toContain('to end that too: snakepit cancel sleeper');
      // toss.depth is 2: deep-b may not toss, and its planner says so; deep-a asks what is to become of that.
      await pit.until('the deepest cannot', () => question(pit, 'deep-a') !== '' || settled(pit, 'deep'), 120_000);
      expect(story(pit, 'failed', 'deep-b')).toContain('plan');
      await pit.ok('answer', 'deep-a', 'accept');
      await done(pit, 'deep');
    });
  });
});
