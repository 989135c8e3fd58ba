import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { QUICK } from '../rig/pit.js';
import { actorProfile, actorTask } from '../rig/actor.js';
import { background, hasEnded, isIn, sh, story, withPit } from './rig.js';

const json = (text: string): { rule: string; state: string; evidence: { witness: string; says: string; at?: number }[]; decided: { witness: string; says: string }[]; next: { what: string; at?: number }[] } => JSON.parse(text);

describe('explain', () => {
  it('tells of a silent session its evidence with ages, the rule, the nudge that comes and the end after it', { timeout: 180_000 }, () =>
    withPit({ config: [...QUICK, 'agent: actor', 'stall: 20s', 'nudge-every: 15s', 'nudges: 1', 'attempts: 1', 'agents:', ...actorProfile()] }, async (pit) => {
      pit.dropTask('a.md', actorTask([[[{ work: 500 }, { silent: true }]]]));
      await pit.up(1);
      const watched = background(pit, 'explain', 'a', '--watch');
      try {
        await pit.until('it is seen at work', async () => (await pit.cli('explain', 'a', '--json')).stdout.includes('nudge it, 1 of 1'));
        const seen = json(await pit.ok('explain', 's1', '--json'));
        expect(seen.state).toMatch(/^running on s1, attempt 1, actor, interactive$/);
        expect(seen.rule).toBe('it works');
        expect(seen.evidence.map(({ witness }) => witness)).toEqual(expect.arrayContaining(['its snake', 'its events', 'process', 'its state', 'last progress']));
        expect(seen.evidence.find(({ witness }) => witness === 'its state')?.says).toMatch(/^working, by event: works/);
        const nudge = seen.next.find(({ what }) => what.startsWith('nudge'));
        expect((nudge?.at ?? 0) - (seen.evidence.find(({ witness }) => witness === 'last progress')?.at ?? 0)).toBe(20_000);
        expect(await pit.ok('explain', 'a')).toMatch(/^a: running on s1.*\n {2}it works, since .* ago\n\nEVIDENCE\n[^]*\nNEXT\n {2}in .* {2}nudge it, 1 of 1 /);
        await pit.until('it was nudged', () => pit.events().some((event) => event.kind === 'nudge-decided'), 60_000);
        await pit.until('its end is told', async () => (await pit.cli('explain', 'a', '--json')).stdout.includes('end it: stalled'));
        expect(json(await pit.ok('explain', 'a', '--json')).decided.map(({ witness }) => witness)).toContain('nudge-decided');
        await pit.until('it has failed', () => pit.files('failed').length > 0, 60_000);
        const after = json(await pit.ok('explain', 'a', '--json'));
        expect([after.state, after.evidence[0]?.says]).toEqual(['failed', expect.stringContaining('stalled: it fell silent')]);
        await pit.until('the watcher has told it too', () => /it works[^]*it was nudged[^]*a: failed/.test(watched.output()));
      } finally {
        watched.child.kill('SIGTERM');
        await watched.ended;
      }
    }));

  it('names file and line of a workflow that broke after its task came in, and says what to do, before and after it failed of it', { timeout: 120_000 }, () =>
    withPit({}, async (pit) => {
      const file = join(pit.root, 'workflows', 'mine.yaml');
      const text = 'title: mine\nsteps:\n  - {step: build, prompt: build.md}\n';
      fs.mkdirSync(join(pit.root, 'workflows'), { recursive: true });
      fs.writeFileSync(file, text);
      fs.writeFileSync(join(pit.root, 'workflows', 'build.md'), 'Build it.\n');
      await pit.ok('workflows', 'mine');
      await pit.ok('pause');
      await pit.up(1);
      pit.dropTask('late.md', `---\nworkflow: mine\n---\n${sh('true')}`);
      await pit.until('it stands in line', () => isIn(pit, 'ready', 'late'));
      expect(json(await pit.ok('explain', 'late', '--json')).evidence).toEqual([]);
      fs.writeFileSync(file, text.replace('step: build', 'stop: build'));
      const seen = json(await pit.ok('explain', 'late', '--json'));
      expect(seen.evidence[0]).toMatchObject({ witness: 'its workflow', says: expect.stringMatching(/^cannot be read now: workflows\/mine\.yaml:3: /) });
      const { brokenWorkflows } = JSON.parse(await pit.ok('ls', '--json')) as { brokenWorkflows: unknown };
      expect(brokenWorkflows).toEqual([{ name: 'mine', fault: expect.stringMatching(/^workflows\/mine\.yaml:3: /) }]);
      expect(await pit.ok('ls')).toMatch(/^the workflow mine cannot be worked: workflows\/mine\.yaml:3: /m);
      expect((await pit.cli('doctor')).stdout).toMatch(/^BAD +workflows +workflows\/mine\.yaml:3: .*whether it is good: snakepit workflows mine$/m);
      expect(seen.next[0]?.what).toMatch(/^mend workflows\/mine\.yaml:3; to see whether it is good: snakepit workflows mine; until then its next attempt fails/);
      await pit.ok('resume');
      await pit.until('it failed of it', () => hasEnded(pit, 'failed', 'late'));
      expect(story(pit, 'failed', 'late')).toMatch(/\*\*why\*\*: unworkable: workflows\/mine\.yaml:3: [^]*\*\*what to do\*\*: mend that file of its workflow/);
      expect(json(await pit.ok('explain', 'late', '--json')).next.map(({ what }) => what)).toEqual(['mend workflows/mine.yaml:3; to see whether it is good: snakepit workflows mine; then: snakepit retry late']);
      fs.writeFileSync(file, text);
      expect(await pit.ok('ls')).not.toContain('the workflow mine cannot be worked');
      expect(json(await pit.ok('explain', 'late', '--json'))).toMatchObject({ evidence: [{ witness: 'attempt 1' }], next: [{ what: expect.stringContaining('snakepit retry late') }] });
    }));

  it('tells of a task that nobody works on why, and of a snake without a task', { timeout: 120_000 }, () =>
    withPit({}, async (pit) => {
      pit.dropTask('first.md', sh('true'));
      pit.dropTask('second.md', '---\nafter: first\n---\n# Second\n\n```sh\ntrue\n```\n');
      pit.dropTask('third.md', sh('true'));
      await pit.ok('pause');
      await pit.up(1);
      await pit.until('they are taken in', () => pit.files('ready').length === 2 && pit.files('waiting').length === 1);
      expect(json(await pit.ok('explain', 'first', '--json')).rule).toContain('paused');
      expect(json(await pit.ok('explain', 'second', '--json')).rule).toBe('waits for first');
      expect(json(await pit.ok('explain', 's1', '--json'))).toMatchObject({ state: 'idle', rule: expect.stringContaining('paused') });
      await pit.ok('hold', 'third');
      expect(json(await pit.ok('explain', 'third', '--json'))).toMatchObject({ state: 'held', next: [{ what: 'snakepit release third' }] });
      await pit.ok('resume');
      await pit.until('both are done', () => pit.files('done').length === 2);
      pit.dropTask('script.md', sh('sleep 60'));
      await pit.until('its script runs', async () => (await pit.cli('explain', 'script', '--json')).stdout.includes('it runs its own script'));
      await pit.ok('cancel', 'script');
      await pit.until('it is cancelled', () => pit.files('failed').length === 1);
      expect(json(await pit.ok('explain', 'second', '--json'))).toMatchObject({ state: 'done' });
      expect(json(await pit.ok('explain', 's1', '--json')).rule).toBe('it waits for a task; nothing stands in line for it');
      expect((await pit.cli('explain', 'nobody')).stderr).toBe('snakepit: no task is called nobody; see: snakepit ls\n');
    }));
});
