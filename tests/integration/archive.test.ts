import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CleanupPorts, CleanupSetting } from '../../src/cleanup/ports.js';
import { applyCleanup, planCleanup } from '../../src/cleanup/specialists.js';
import { resolveConfig } from '../../src/config/load.js';
import { systemClock } from '../../src/lib/clock.js';
import type { Files } from '../../src/lib/files.js';
import { linuxProcesses } from '../../src/lib/linux-processes.js';
import { nodeFiles } from '../../src/lib/node-files.js';
import { layoutOf, QUEUE_STATES } from '../../src/protocol/layout.js';
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

/* One round, killed at each of its writes in turn; then another round. */
class Killed extends Error {}

describe('a round that is killed', () => {
  const root = join(tmpdir(), `archive-${process.pid}`);
  const layout = layoutOf(root);
  const config = resolveConfig('snakepit.yaml', 'keep: 0s\nkeep-logs: 0s\n', {});
  if (!config.ok) throw new Error(config.error.problem);
  const setting: CleanupSetting = { layout, config: config.value, successor: () => 'possible', pitId: 'x', residents: async () => [], thorough: true };
  const run = join(layout.runs, 'a', '001-abcdefghij');

  const lay = (): void => {
    for (const dir of [...QUEUE_STATES.map((state) => layout.dir(state)), layout.log, run, join(layout.homes, 'a', 'shell')]) fs.mkdirSync(dir, { recursive: true });
    fs.writeFileSync(join(layout.dir('done'), 'a.md'), 'task');
    fs.writeFileSync(join(layout.dir('done'), 'a.result.md'), 'story');
    fs.writeFileSync(join(run, 'output.log'), 'one\ntwo\n');
    fs.writeFileSync(join(run, 'stderr.log'), 'three\n');
    fs.writeFileSync(join(run, 'outcome.json'), JSON.stringify({ marker: 'a~0.0.0~abcdefghij', attempt: 1, agent: 'shell', endedAt: Date.now() - 5000, outcome: { kind: 'done', message: '' }, next: { kind: 'done' } }));
  };
  beforeEach(lay);
  afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

  const ports = (left: { writes: number }): CleanupPorts => {
    const step = <A extends unknown[], R>(act: (...args: A) => Promise<R>) => async (...args: A): Promise<R> => {
      left.writes -= 1;
      if (left.writes < 0) throw new Killed('kill -9');
      return act(...args);
    };
    const { rename, write, append, makeDir, remove } = nodeFiles;
    const files: Files = { ...nodeFiles, rename: step(rename), write: step(write), append: step(append), makeDir: step(makeDir), remove: step(remove) };
    return { files, clock: systemClock, processes: linuxProcesses, events: { emit: async () => undefined } };
  };
  const round = async (writes: number): Promise<number> => {
    const left = { writes };
    const all = ports(left);
    await applyCleanup(all, setting, await planCleanup(all, setting, ['archivist', 'composter']));
    return left.writes;
  };
  const state = (): unknown => ({
    done: fs.readdirSync(layout.dir('done')),
    archive: fs.readdirSync(join(layout.archive, MONTH)).sort(),
    texts: ['a.md', 'a.result.md'].map((name) => read(join(layout.archive, MONTH, name))),
    run: fs.readdirSync(run),
    homes: fs.readdirSync(layout.homes),
    digests: read(join(layout.digests, `${MONTH}.jsonl`)).trimEnd().split('\n').map((line) => { const { id, log } = JSON.parse(line) as { id: string; log: string }; return `${id} ${log}`; }).sort(),
  });
  const WHOLE = { done: [], archive: ['a.md', 'a.result.md'], texts: ['task', 'story'], run: ['outcome.json'], homes: [], digests: ['a home', 'a output.log', 'a stderr.log'] };

  it('leaves nothing that the next one cannot mend, wherever it was killed', async () => {
    const needed = 1000 - (await round(1000));
    expect(state()).toEqual(WHOLE);
    expect(needed).toBeGreaterThan(8);
    for (let at = 0; at < needed; at += 1) {
      fs.rmSync(root, { recursive: true, force: true });
      lay();
      await round(at);
      await round(1000);
      expect(state(), `killed at write ${at}`).toEqual(WHOLE);
    }
  });
});
