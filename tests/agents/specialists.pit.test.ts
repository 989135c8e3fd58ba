import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkout, seedRepo } from '../rig/repo.js';
import type { Core } from './headless.js';
import { CORE, sampled } from './sample.js';
import { ended, PATIENCE_MS, REAL, story, withAgent } from './stubbed.js';

/*
 * Triage and digest as they come along, by real programs. The cues stand in the reasons of failed tasks, so that they reach the model only
 * through the facts that a specialist is told.
 */

const snakepit = (...args: readonly string[]): string => ['"$SNAKEPIT_COMMAND"', ...args].join(' ');

describe.each(sampled<Core>(CORE, ['codex']))('%s as a specialist', REAL, (name) => {
  it('retries one failed task, splits another, asks about the third and acts on the answer; and writes the digest of the week; the project is as it was', { timeout: 400_000 }, () =>
    withAgent(name, async (pit, stub) => {
      seedRepo(pit.root);
      const before = checkout(pit.root);
      const mended = pit.beside('mended');
      const fails = (id: string, why: string): void => pit.dropTask(`${id}.md`, `---\nagent: shell\n---\n# ${id}\n\n\`\`\`sh\ntest -e ${mended} || ${snakepit('fail', `'${why}'`)}\n\`\`\`\n`);
      fails('luck', 'the network was gone');
      fails('large', 'too much at once [[week]]');
      fails('torn', 'it contradicts itself [[judge]]');
      await pit.until('all three have failed', () => ['luck', 'large', 'torn'].every((id) => ended(pit, id) === 'failed'), PATIENCE_MS);
      fs.writeFileSync(mended, '');
      stub.script('part', [{ text: 'The part is done.' }]);
      stub.script('judge', [
        { tool: 'bash', command: `${snakepit('show', 'luck')} && ${snakepit('logs', 'luck')}` },
        { tool: 'bash', command: `${snakepit('retry', 'luck')} && ${snakepit('note', '"luck: tried again, the network is back"')}` },
        { tool: 'bash', command: `printf '# A part of large\\n\\nPlay [[part]].\\n' > part.md && ${snakepit('toss', 'part.md')} && ${snakepit('note', '"large: its part is in line"')}` },
        { tool: 'bash', command: snakepit('ask', '"torn: left or right?"') },
        { text: 'I asked.' },
      ]);

      await pit.ok('recurring', 'run', 'triage');
      const idOf = (specialist: string): string | undefined => pit.events().flatMap((event) => (event.kind === 'task-scheduled' && event.name === specialist ? [event.id] : []))[0];
      await pit.until('it asks', () => fs.existsSync(join(pit.layout.dir('needs'), `${idOf('triage') ?? '-'}.question.md`)), PATIENCE_MS);
      const id = idOf('triage') ?? '';
      expect(fs.readFileSync(join(pit.layout.dir('needs'), `${id}.question.md`), 'utf8')).toContain('torn: left or right?');
      expect(stub.of('judge')[0]?.prompt).toMatch(/- torn: 1 attempt, failed .*it contradicts itself[^]*You look after the tasks that failed/);
      await pit.until('what it retried and tossed is done', () => ended(pit, 'luck') === 'done' && ended(pit, 'part') === 'done', PATIENCE_MS);
      stub.script('judge', [{ tool: 'bash', command: `${snakepit('retry', 'torn')} && ${snakepit('done', '"1 retried, 1 split, 1 after your word"')}` }, { text: 'That is all.' }]);
      await pit.ok('answer', id, 'left, as before');
      await pit.until('it acts on the answer', () => ended(pit, id) === 'done' && ended(pit, 'torn') === 'done', PATIENCE_MS);
      expect(stub.of('judge').at(-1)?.prompt).toContain('left, as before');
      expect(story(pit, id)).toMatch(/1 retried, 1 split, 1 after your word/);
      for (const note of ['luck: tried again, the network is back', 'large: its part is in line']) expect(story(pit, id)).toContain(note);
      expect(ended(pit, 'large')).toBe('failed');

      stub.script('week', [
        { tool: 'bash', command: `${snakepit('tokens', '--since', '7d', '--by', 'profile')} && ${snakepit('needs')}` },
        { tool: 'bash', command: `echo 'large is left' > week.md && ${snakepit('done', '"3 done; large is left"')}` },
        { text: 'That is all.' },
      ]);
      await pit.ok('recurring', 'run', 'digest');
      await pit.until('the digest is written', () => ended(pit, idOf('digest') ?? '-') === 'done', PATIENCE_MS);
      expect(stub.of('week')[0]?.prompt).toMatch(/- from .* done, 1 failed[^]*tokens[^]*- large: 1 attempt[^]*You write the digest/);
      expect(story(pit, idOf('digest') ?? '')).toContain('3 done; large is left');
      expect(checkout(pit.root)).toEqual(before);
    }, 2, undefined, {}, [`specialists: {triage: {prompt: triage, agent: ${name}, cron: "0 7 1 1 *"}, digest: {prompt: week, agent: ${name}, cron: "0 7 1 1 *"}}`]));
});
