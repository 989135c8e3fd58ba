import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { QUICK } from '../rig/pit.js';
import { fileOf, hasEnded, isIn, read, sh, withPit } from './rig.js';

const MONTH = new Date().toISOString().slice(0, 7);

describe('archivist and composter', () => {
  it('what is archived is still done and found; logs become a line each; results stay', { timeout: 120_000 }, () =>
    withPit({ config: [...QUICK, 'keep: 1s', 'keep-logs: 1s', 'cleanup: 1h'] }, async (pit) => {
      await pit.up(1);
      pit.dropTask('a.md', sh('echo made', 'echo result > result.txt'));
      pit.dropTask('bad.md', `---\nattempts: 1\n---\n${sh('echo wrong', 'exit 3')}`);
      await pit.until('both have ended', () => fs.existsSync(join(pit.layout.dir('done'), 'a.result.md')) && fs.existsSync(join(pit.layout.dir('failed'), 'bad.result.md')));
      const story = read(join(pit.layout.dir('done'), 'a.result.md'));
      const run = join(pit.layout.runs, 'a', fs.readdirSync(join(pit.layout.runs, 'a'))[0] ?? '');
      await pit.until('the time of keep: is over', () => Date.now() - fs.statSync(join(pit.layout.dir('done'), 'a.md')).mtimeMs > 1500, 10_000);
      const ran = await pit.cli('cleanup', '--only', 'archivist', 'composter');
      expect([ran.code, ran.stderr]).toEqual([1, '']);
      expect(ran.stdout).toContain(`a: now in queue/archive/${MONTH}/\n`);
      expect(fs.readdirSync(join(pit.layout.archive, MONTH)).sort()).toEqual(['a.md', 'a.result.md']);
      // It is found, with its story; a failed one stays where a person looks for it.
      expect(await pit.ok('show', 'a')).toBe(story);
      expect(isIn(pit, 'failed', 'bad')).toBe(true);
      // Its logs are a line each; what it made and how it ended is there.
      expect(fs.existsSync(join(run, 'output.log'))).toBe(false);
      expect(read(join(run, 'work', 'result.txt'))).toBe('result\n');
      expect(fs.existsSync(join(run, 'outcome.json'))).toBe(true);
      const lines = read(join(pit.layout.digests, `${MONTH}.jsonl`)).trimEnd().split('\n').map((line) => JSON.parse(line) as { id: string; log: string; tail: string[]; bytes: number });
      expect(lines.filter(({ log }) => log === 'output.log').map(({ id, tail }) => [id, tail]).sort()).toEqual([['a', ['made']], ['bad', ['wrong']]]);
      expect(await pit.ok('cleanup', '--only', 'archivist', 'composter')).toBe('clean: there is nothing to do\n');
      // What needs it may go; its id is taken; it can be run again.
      pit.dropTask('b.md', `---\nafter: a\n---\n${sh('true')}`);
      await pit.until('what needs it is done', () => hasEnded(pit, 'done', 'b'));
      pit.dropTask('a.md', sh('echo another'));
      await pit.until('its id is taken', () => pit.events().some((event) => event.kind === 'task-refused' && event.problem.includes('a task of that id is in done/')));
      await pit.ok('rerun', 'a');
      await pit.until('it is done again', () => hasEnded(pit, 'done', 'a'));
      expect(fs.readdirSync(join(pit.layout.archive, MONTH))).toEqual([]);
    }));

  it('writes over nothing in the archive', { timeout: 60_000 }, () =>
    withPit({ config: [...QUICK, 'keep: 0s', 'cleanup: 1h'] }, async (pit) => {
      await pit.up(1);
      pit.dropTask('a.md', sh('true'));
      await pit.until('done', () => fs.existsSync(join(pit.layout.dir('done'), 'a.result.md')));
      fs.mkdirSync(join(pit.layout.archive, MONTH), { recursive: true });
      fs.writeFileSync(join(pit.layout.archive, MONTH, 'a.md'), 'of an earlier life');
      expect(await pit.cli('cleanup', '--only', 'archivist')).toMatchObject({ code: 4, stdout: expect.stringContaining('is there already: move one of the two away') });
      expect([read(join(pit.layout.archive, MONTH, 'a.md')), fileOf(pit, 'done', 'a')]).toEqual(['of an earlier life', join(pit.layout.dir('done'), 'a.md')]);
    }));
});
