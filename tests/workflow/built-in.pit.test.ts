import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { head, isIn, read, story, withPit } from '../integration/rig.js';
import { attemptsOf, goes, order, played, playersConfig, say, settled, writePlan, type Plan } from './play.js';
import type { Pit } from '../rig/pit.js';

const go = goes();
let script = '';
beforeEach(() => {
  ({ script } = go());
});

const stories = (n: number): string => `for n in $(seq ${n}); do printf '## Story %s: part %s\\n\\n- it works\\n' $n $n; done > "$SNAKEPIT_HANDED/stories.md"; ${say.done('planned')}`;
const plan = (n: number): string => `for n in $(seq ${n}); do printf '## Step %s: part %s\\n' $n $n; done > "$SNAKEPIT_HANDED/plan.md"; ${say.done('planned')}`;

/** One task by a workflow, to its end; `keys`: of its front matter. */
async function worked(keys: readonly string[], lines: Plan, look: (pit: Pit, ran: string[]) => void | Promise<void>): Promise<void> {
  writePlan(script, lines);
  await withPit({ config: playersConfig(script) }, async (pit) => {
    await pit.up(1);
    pit.dropTask('t.md', `${head(...keys)}# A task\n\nDo it.\n`);
    await pit.until('it has ended, or asks', () => settled(pit, 't') || read(join(pit.layout.dir('needs'), 't.question.md')) !== '', 60_000);
    await look(pit, order(script));
  });
}

describe('generate-evaluate', { timeout: 120_000 }, () => {
  it('each story is generated and judged, the last one too; a rejected one is mended with its feedback, and its work is kept', () =>
    worked(
      ['workflow: generate-evaluate', 'with: {agents: {evaluate: critic}}'],
      { plan: [stories(2)], generate: [`echo $SNAKEPIT_ITEM >> built; ${say.done('built')}`], evaluate: [say.reject('story 1 is wrong'), say.pass, say.pass] },
      (pit, ran) => {
        expect(ran).toEqual(['plan author', 'generate author', 'evaluate critic', 'generate/2 author', 'evaluate/2 critic', 'generate author', 'evaluate critic']);
        expect(played(script).map(({ env }) => [env['SNAKEPIT_ITEM'], env['SNAKEPIT_FEEDBACK'] !== ''])).toEqual([['', false], ['1', false], ['1', false], ['1', true], ['1', true], ['2', false], ['2', false]]);
        expect(isIn(pit, 'done', 't')).toBe(true);
        expect(read(join(attemptsOf(pit, 't')[0] ?? '', 'work', 'built'))).toBe('1\n1\n2\n');
      },
    ));

  it('a story that never passes asks a person; exploring may change nothing', async () => {
    await worked(['workflow: generate-evaluate', 'with: {tries: 2, mode: fix}'], { plan: [stories(2)], evaluate: [say.pass, say.reject('no')] }, (pit, ran) => {
      expect(ran).toHaveLength(7);
      expect(isIn(pit, 'needs', 't')).toBe(true);
    });
    ({ script } = go());
    await worked(['workflow: generate-evaluate', 'attempts: 1', 'with: {mode: explore}'], { explore: [`echo x > "$SNAKEPIT_HANDED/findings.md"; echo y > changed; ${say.done('seen')}`] }, (pit) => {
      expect(story(pit, 'failed', 't')).toContain('explore: it may only read, and the tree has changed: made changed');
    });
  });

  it('a plan that hands on nothing fails its step', () =>
    worked(['workflow: generate-evaluate', 'attempts: 1'], { plan: [say.done('I thought about it')] }, (pit) => {
      expect(story(pit, 'failed', 't')).toContain('it was to leave stories.md in $SNAKEPIT_HANDED, and did not');
    }));
});

const CHOOSE = `printf 'SUB-TASK: the next\\n' > "$SNAKEPIT_HANDED/sub-task.md"; ${say.done('chosen')}`;

describe('coding-loop', { timeout: 120_000 }, () => {
  it('takes one sub-task a round, and ends when review and gate pass in one round', () =>
    worked(['workflow: coding-loop'], { choose: [CHOOSE], review: [say.pass, say.reject('broken'), say.pass], gate: [say.reject('more to do'), say.pass, say.pass] }, (pit, ran) => {
      const round = (n: string): string[] => ['choose', 'implement', 'review', 'gate'].map((step) => `${step}${n} author`);
      expect(ran).toEqual([...round(''), ...round('/2'), ...round('/3')]);
      expect(isIn(pit, 'done', 't')).toBe(true);
      const handed = join(attemptsOf(pit, 't')[0] ?? '', 'handed');
      expect(read(join(handed, 'iter-001.md'))).toContain('more to do');
      expect(read(join(handed, 'iter-002.md'))).toContain('broken');
      expect(read(join(handed, 'latest.md'))).toBe(read(join(handed, 'iter-002.md')));
    }));

  it('two sub-tasks at once fail the chooser; rounds that are used up ask a person', async () => {
    await worked(['workflow: coding-loop', 'attempts: 1'], { choose: [`printf 'SUB-TASK: a\\nSUB-TASK: b\\n' > "$SNAKEPIT_HANDED/sub-task.md"; ${say.done('chosen')}`] }, (pit) => {
      expect(story(pit, 'failed', 't')).toContain('sub-task.md has 2 lines that match');
    });
    ({ script } = go());
    await worked(['workflow: coding-loop', 'with: {rounds: 1}'], { choose: [CHOOSE], review: [say.pass], gate: [say.reject('more')] }, (pit) => {
      expect(read(join(pit.layout.dir('needs'), 't.question.md'))).toContain('1 rounds of rounds, and none passed');
    });
  });
});

describe('builder-adversary', { timeout: 120_000 }, () => {
  it('one adversary with a veto decides against the others; what it broke is mended', () =>
    worked(
      ['workflow: builder-adversary', 'with: {pass: any, adversaries: [author, {agent: critic, veto: true}]}'],
      { attack: [say.pass, say.reject('broke it'), say.pass, say.pass] },
      (pit, ran) => {
        expect(ran).toEqual(['build author', 'attack author', 'attack critic', 'mend/2 author', 'attack/2 author', 'attack/2 critic']);
        expect(isIn(pit, 'done', 't')).toBe(true);
      },
    ));

  it('each step of a plan, or all of them at the end', async () => {
    await worked(['workflow: builder-adversary', 'with: {review: step}'], { plan: [plan(2)], 'attack-step': [say.pass] }, (pit, ran) => {
      expect(ran).toEqual(['plan author', 'build-step author', 'attack-step author', 'build-step author', 'attack-step author']);
      expect(isIn(pit, 'done', 't')).toBe(true);
    });
    ({ script } = go());
    await worked(['workflow: builder-adversary', 'with: {review: deferred, rounds: 2}'], { plan: [plan(2)], 'attack-all': [say.reject('broke it')] }, (pit, ran) => {
      expect(ran).toEqual(['plan author', 'build-one author', 'build-one/2 author', 'attack-all author', 'mend-all/2 author', 'attack-all/2 author']);
      expect(isIn(pit, 'needs', 't')).toBe(true);
    });
  });
});
