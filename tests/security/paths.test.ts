import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { printReady } from '../../src/protocol/names.js';
import { parseTask } from '../../src/protocol/parse-task.js';
import { head, read, refusal, sh, withPit } from '../integration/rig.js';
import { QUICK } from '../rig/pit.js';

const SECRET = 'outside-9f3c-secret';
const readyName = (id: string): string => printReady({ id, place: { priority: 50, arrivedAt: 1_800_000_000_000 }, counters: { failures: 0, losses: 0, deferrals: 0 } });
const fifo = (path: string): void => void execFileSync('mkfifo', [path]);

describe('no path leaves the queue', () => {
  it('links, FIFOs and directories where task files belong: ended or refused in words, what they point to is neither read nor touched', async () => {
    await withPit({ config: [...QUICK, 'attempts: 1'] }, async (pit) => {
      const outside = pit.beside('outside.md');
      fs.writeFileSync(outside, `${sh('touch canary')}${SECRET}\n`);
      fs.utimesSync(outside, 1_000_000_000, 1_000_000_000);
      const drop = (name: string): string => join(pit.layout.queue, name);
      fs.symlinkSync(outside, drop('link.md'));
      fs.symlinkSync('/nowhere/at-all', drop('dangling.md'));
      fs.symlinkSync('../../outside.md', drop('upwards.md'));
      fifo(drop('fifo.md'));
      fs.mkdirSync(drop('directory.md'));
      const ready = (id: string): string => join(pit.layout.dir('ready'), readyName(id));
      fs.symlinkSync(outside, ready('ready-link'));
      fs.symlinkSync('/nowhere/at-all', ready('ready-dangling'));
      fifo(ready('ready-fifo'));
      fs.mkdirSync(ready('ready-directory'));
      fs.writeFileSync(ready('ready-last'), sh('true'));
      // An id that climbs, by hand.
      fs.writeFileSync(join(pit.layout.dir('ready'), readyName('up').replace('~up~', '~..up~')), sh('true'));
      fs.writeFileSync(drop('climbs.md'), head('id: ../../climbs') + sh('true'));
      await pit.up(1);
      const READY = ['ready-link', 'ready-dangling', 'ready-fifo', 'ready-directory'];
      await pit.until('all has ended', () => pit.files('done').includes('ready-last.md') && READY.every((id) => fs.existsSync(join(pit.layout.dir('failed'), `${id}.result.md`))) && ['link.md', 'dangling.md', 'upwards.md', 'fifo.md', 'climbs.md'].every((name) => refusal(pit, name) !== undefined), 60_000);
      for (const id of READY) expect(read(join(pit.layout.dir('failed'), `${id}.result.md`))).toMatch(/not a regular file/);
      expect(refusal(pit, 'link.md')?.story).toMatch(/it is a symbolic link/);
      expect(refusal(pit, 'fifo.md')?.story).toMatch(/it is not a regular file/);
      expect(refusal(pit, 'climbs.md')?.story).toMatch(/id: is not a legal id/);
      expect(fs.readdirSync(pit.layout.queue)).toContain('directory.md');
      // Nor by hand.
      for (const id of READY) {
        const again = await pit.cli('retry', id);
        expect(again.code, `${id}: ${again.stdout}`).not.toBe(0);
        expect((await pit.cli('show', id)).stdout).not.toContain(SECRET);
      }
      fs.symlinkSync(outside, join(pit.layout.dir('needs'), readyName('asks')));
      const answered = await pit.cli('answer', 'asks', 'yes');
      expect(answered.code).not.toBe(0);
      expect(answered.stderr).toMatch(/cannot be read/);
      fs.rmSync(join(pit.layout.dir('needs'), readyName('asks')));
      expect(fs.statSync(outside).mtimeMs).toBe(1_000_000_000_000);
      const copies = fs.readdirSync(pit.root, { recursive: true, encoding: 'utf8' }).map((name) => join(pit.root, name)).filter((path) => fs.lstatSync(path).isFile() && read(path).includes(SECRET));
      expect(copies).toEqual([]);
    });
  }, 120_000);

  it('a session that puts links and FIFOs where its records belong learns and shows nothing of what lies outside, and holds up nobody', async () => {
    await withPit({ config: [...QUICK, 'attempts: 1'] }, async (pit) => {
      const outside = pit.beside('outside.json');
      fs.writeFileSync(outside, JSON.stringify({ outcome: 'done', message: SECRET }));
      const tasks: Record<string, string> = {
        'result-link': `ln -s '${outside}' "$SNAKEPIT_RESULT"`,
        'result-fifo': 'mkfifo "$SNAKEPIT_RESULT"',
        'fallback-link': `ln -s '${outside}' "$SNAKEPIT_RESULT_FALLBACK"`,
        'fallback-fifo': 'mkfifo "$SNAKEPIT_RESULT_FALLBACK"',
        'notes-link': `ln -s '${outside}' "$SNAKEPIT_RUN_DIR/notes.jsonl"; snakepit note into-the-file || echo no-note`,
        'notes-fifo': 'mkfifo "$SNAKEPIT_RUN_DIR/notes.jsonl"; snakepit note into-the-fifo || echo no-note',
        'output-link': `rm "$SNAKEPIT_RUN_DIR/output.log"; ln -s '${outside}' "$SNAKEPIT_RUN_DIR/output.log"`,
        'output-fifo': 'rm "$SNAKEPIT_RUN_DIR/output.log"; mkfifo "$SNAKEPIT_RUN_DIR/output.log"',
      };
      const before = read(outside);
      for (const [id, line] of Object.entries(tasks)) pit.dropTask(`${id}.md`, sh(line));
      pit.dropTask('input-above.md', head('inputs: {spec: ../../../etc/hostname}') + sh('test "$SNAKEPIT_INPUT_SPEC" = "$(realpath -m "$SNAKEPIT_INPUT_SPEC")"'));
      await pit.up(2);
      const ids = [...Object.keys(tasks), 'input-above'];
      const stories = (): string[] => (['done', 'failed'] as const).flatMap((state) => pit.files(state, true).filter((name) => name.endsWith('.result.md')).map((name) => join(pit.layout.dir(state), name)));
      await pit.until('all have ended', () => stories().length === ids.length, 60_000);
      for (const story of stories()) expect(read(story), story).not.toContain(SECRET);
      for (const id of ids) for (const command of ['show', 'logs', 'explain']) expect((await pit.cli(command, id)).stdout, `${command} ${id}`).not.toContain(SECRET);
      expect(read(outside)).toBe(before);
      expect(fs.readdirSync(pit.layout.dir('claimed'))).toEqual([]);
    });
  }, 120_000);
});

describe('YAML bombs are bounded', () => {
  const bombs: Record<string, string> = {
    'a thousand brackets': `a: ${'['.repeat(1000)}`,
    'brackets in lines': `a:\n${'  - [\n'.repeat(300)}`,
    'a billion laughs': `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c]`,
    'an alias of itself': 'a: &a [*a]',
    'merge keys': 'a: &a {b: 1}\n<<: *a',
    'forty thousand keys': Array.from({ length: 40_000 }, (_one, at) => `k${at}: 1`).join('\n'),
    'a key of a megabyte': `${'k'.repeat(1_000_000)}: 1`,
    'a question mark key of a megabyte': `? ${'k'.repeat(1_000_000)}\n: 1`,
    'deep indents': Array.from({ length: 200 }, (_one, at) => `${' '.repeat(at)}a:`).join('\n'),
    'deep dashes': `${'- '.repeat(5000)}x`,
    'a tag': 'a: !!js/function "function(){}"',
    'a quote never closed': `title: "${'x'.repeat(60_000)}`,
    'many quotes': `title: ${'"\\\\'.repeat(20_000)}`,
    'comment marks': `a: ${'#'.repeat(60_000)}`,
    'block scalars': 'a: |9\n'.repeat(399),
    'tabs and dashes': `${'-\t'.repeat(10_000)}`,
  };
  it.each(Object.keys(bombs))('%s: refused, or taken, within two seconds of processor time', async (what) => {
    const before = process.cpuUsage();
    const parsed = await parseTask(Buffer.from(`---\n${bombs[what] ?? ''}\n---\nText.\n`));
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(2000);
    if (!parsed.ok) expect(parsed.error).toMatchObject({ line: expect.any(Number), fix: expect.stringMatching(/./) });
    if (/laughs|itself|merge|thousand|megabyte|deep|tag|never/.test(what)) expect(parsed.ok).toBe(false);
  });
  it('JavaScript in front matter is text', async () => expect((await parseTask(Buffer.from('---js\nprocess.exit(1)\n---\nText.\n'))).ok).toBe(true));
});
