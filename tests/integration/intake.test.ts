import { execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/lib/clock.js';
import { PathError } from '../../src/lib/files.js';
import { nodeFiles } from '../../src/lib/node-files.js';
import type { ProcessIdentity } from '../../src/lib/processes.js';
import { beginRound, takeIn } from '../../src/queue/intake.js';
import { Pit, QUICK } from '../rig/pit.js';
import { fileOf, head, hasEnded, isIn, mv, read, refusal, sh, story, tasksIn, withPit } from './rig.js';

const SLOWER = [...QUICK.filter((line) => !line.startsWith('settle')), 'settle: 500ms'];

/** One pit for a group of tests: each test drops under names of its own. The pit must be the same process at the end. */
function sharedPit(config: readonly string[] = QUICK, snakes = 2): () => Pit {
  let pit: Pit;
  let daemon: ProcessIdentity | undefined;
  beforeAll(async () => {
    pit = new Pit({ config });
    await pit.ok('init');
    await pit.up(snakes);
    daemon = await pit.daemon();
  });
  afterAll(async () => {
    const after = await pit.daemon();
    await pit.dispose();
    expect(after).toEqual(daemon);
  });
  return () => pit;
}

describe('a file is not taken in before its writer is finished', () => {
  const pit = sharedPit(SLOWER);

  it('a slow cp that keeps the file open and pauses for longer than settle', async () => {
    const file = join(pit().layout.queue, 'slow.md');
    const writer = spawn('/bin/sh', ['-c', 'exec cat > "$0"', file], { stdio: ['pipe', 'ignore', 'ignore'] });
    const gone = new Promise((resolve) => writer.on('exit', resolve));
    try {
      writer.stdin.write('```sh\necho first\n');
      await pit().until('the first half is old', () => fs.existsSync(file) && fs.statSync(file).size > 0 && Date.now() - fs.statSync(file).mtimeMs > 1500);
      pit().dropTask('canary.md', sh('true'));
      await pit().until('a later drop went through', () => isIn(pit(), 'done', 'canary'));
      expect(fs.existsSync(file)).toBe(true);
      writer.stdin.end('echo second\n```\n');
      await gone;
    } finally {
      writer.kill('SIGKILL');
    }
    await pit().until('the whole file is done', () => isIn(pit(), 'done', 'slow'));
    expect(read(fileOf(pit(), 'done', 'slow'))).toBe('```sh\necho first\necho second\n```\n');
    expect(await pit().ok('logs', 'slow')).toBe('first\nsecond\n');
  });

  it('a writer that opens it anew for every line', async () => {
    const file = join(pit().layout.queue, 'lines.md');
    execFileSync('/bin/sh', ['-c', 'echo "\\`\\`\\`sh" > "$0"; i=0; while [ $i -lt 20 ]; do echo "echo $i" >> "$0"; i=$((i + 1)); sleep 0.05; done; echo "\\`\\`\\`" >> "$0"', file]);
    await pit().until('done', () => isIn(pit(), 'done', 'lines'));
    expect((await pit().ok('logs', 'lines')).trim().split('\n')).toHaveLength(20);
  });

  it('editors: vim writes a backup and renames, emacs locks by a dangling link; their droppings stay, and are no tasks', async () => {
    const queue = pit().layout.queue;
    const at = (name: string): string => join(queue, name);
    // vim: swap file, a probe called 4913, the old file renamed away, the new one written.
    fs.writeFileSync(at('.v.md.swp'), 'b0VIM');
    fs.writeFileSync(at('v.md'), sh('echo old'));
    fs.writeFileSync(at('4913'), '');
    fs.rmSync(at('4913'));
    fs.renameSync(at('v.md'), at('v.md~'));
    fs.writeFileSync(at('v.md'), sh('echo new'));
    fs.symlinkSync('me@host.1234:5678', at('.#e.md'));
    fs.writeFileSync(at('#e.md#'), sh('echo auto-saved'));
    fs.writeFileSync(at('e.md~'), sh('echo backup'));
    fs.writeFileSync(at('e.md'), sh('echo saved'));
    await pit().until('both are done', () => isIn(pit(), 'done', 'v') && isIn(pit(), 'done', 'e'));
    expect(await pit().ok('logs', 'v')).toBe('new\n');
    expect(await pit().ok('logs', 'e')).toBe('saved\n');
    expect(fs.readdirSync(queue).filter((name) => /[ve]\.md/.test(name)).sort()).toEqual(['#e.md#', '.#e.md', '.v.md.swp', 'e.md~', 'v.md~']);
    expect(await pit().ok('wait', '--quiet')).toBe('');
  });

  it('rsync writes under a hidden name and renames', async () => {
    const hidden = join(pit().layout.queue, '.r.md.AbC123');
    fs.writeFileSync(hidden, sh('echo synced'));
    pit().dropTask('canary2.md', sh('true'));
    await pit().until('a later drop went through', () => isIn(pit(), 'done', 'canary2'));
    expect(fs.existsSync(hidden)).toBe(true);
    fs.renameSync(hidden, join(pit().layout.queue, 'r.md'));
    await pit().until('done', () => isIn(pit(), 'done', 'r'));
  });

  it('a hard link is waited for, and taken in when the other name is gone', async () => {
    const other = pit().beside('other-name');
    fs.writeFileSync(other, sh('echo linked'));
    fs.linkSync(other, join(pit().layout.queue, 'h.md'));
    pit().dropTask('canary3.md', sh('true'));
    await pit().until('a later drop went through', () => isIn(pit(), 'done', 'canary3'));
    expect(fs.existsSync(join(pit().layout.queue, 'h.md'))).toBe(true);
    fs.rmSync(other);
    await pit().until('done', () => isIn(pit(), 'done', 'h'));
  });

  it('a time of last change in the future, and one in 1970', async () => {
    for (const [name, at] of [['future.md', Date.now() / 1000 + 3600], ['epoch.md', 0]] as const) {
      const beside = pit().beside(name);
      fs.writeFileSync(beside, sh('true'));
      fs.utimesSync(beside, at, at);
      fs.renameSync(beside, join(pit().layout.queue, name));
    }
    await pit().until('both are done', () => isIn(pit(), 'done', 'future') && isIn(pit(), 'done', 'epoch'));
  });
});

describe('names', () => {
  const pit = sharedPit();
  const NAMES: (string | Buffer)[] = [
    'plain.md', 'UPPER.MD', 'with space.md', 'two  spaces .md', 'new\nline.md', 'tab\there.md', '-rf.md', '--help.md', '日本語.md', 'ümläut.md', 'e\u0301.md', '\u202Eevil.md',
    "quo'te\".md", '$(touch x).md', '`id`.md', 'at #{pane_id}%H.md', 'a;b|c&d.md', '*.md', '[x].md', '\\back.md', '\u001b[31mred.md', `${'n'.repeat(252)}.md`, `${'é'.repeat(126)}.md`,
    Buffer.from([0xff, 0xfe, 0x2e, 0x6d, 0x64]), Buffer.from([0x61, 0xc3, 0x28, 0x2e, 0x6d, 0x64]), Buffer.from([...Array<number>(252).fill(0x80), 0x2e, 0x6d, 0x64]), 'x.markdown', '50-0mi8f2k3q~ours~1.2.3.md',
  ];

  it('letters keep their shape without their marks; show and wait take the name of the file', async () => {
    pit().dropTask('My Ünïcode täsk.md', sh('true'));
    expect((await pit().cli('wait', 'My Ünïcode täsk')).code).toBe(0);
    expect(await pit().ok('show', 'My Ünïcode täsk.md')).toMatch(/\*\*task\*\*: my-unicode-task-[0-9a-f]{6}\n/);
    pit().dropTask('by-name.md', head('id: quite-other') + sh('true'));
    await pit().until('done', () => story(pit(), 'done', 'quite-other') !== '');
    expect(await pit().ok('show', 'by-name.md')).toContain('**task**: quite-other');
  });

  it('each is worked exactly once, under an id that is a safe word', async () => {
    const out = pit().beside('ran');
    fs.mkdirSync(out);
    for (const [index, name] of NAMES.entries()) {
      const path = Buffer.concat([Buffer.from(`${pit().layout.queue}/`), Buffer.isBuffer(name) ? name : Buffer.from(name)]);
      fs.writeFileSync(path, sh(`echo x >> '${out}/${index}'`, `printf '%s' "$SNAKEPIT_TASK_ID" > '${out}/${index}.id'`));
    }
    await pit().until(`all ${NAMES.length} have ended`, () => tasksIn(pit(), 'done').length + pit().files('failed').length >= NAMES.length + 2, 40_000);
    expect(pit().files('failed')).toEqual([]);
    for (const index of NAMES.keys()) {
      expect([index, read(join(out, String(index)))]).toEqual([index, 'x\n']);
      expect(read(join(out, `${index}.id`))).toMatch(/^[a-z0-9][a-z0-9._-]{0,63}$/);
    }
    expect(new Set(NAMES.map((_, index) => read(join(out, `${index}.id`)))).size).toBe(NAMES.length);
    expect(fs.readdirSync(pit().layout.queue).filter((name) => /\.(md|markdown)$/i.test(name))).toEqual([]);
    for (const args of [['ls'], ['status']]) expect(await pit().ok(...args)).not.toMatch(/[^\P{C}\n]/u);
  });
});

describe('content', () => {
  const pit = sharedPit();
  const RUN = sh('echo ran');
  const bomb = head('a: &a [x,x,x,x,x,x,x,x,x]', ...'bcdefgh'.split('').map((key, index) => `${key}: &${key} [${Array(9).fill(`*${'abcdefg'[index]}`).join(',')}]`)) + RUN;
  const REFUSED: [string, string | Buffer, number, RegExp][] = [
    ['empty.md', '', 1, /empty/],
    ['blank.md', ' \n\n\t\n', 1, /empty/],
    ['big.md', `${RUN}${'x'.repeat(1_048_577)}`, 1, /larger than 1048576 bytes/],
    ['nul.md', Buffer.from('# a\nb\n\0c\n'), 3, /NUL/],
    ['latin1.md', Buffer.from([0x23, 0x0a, 0x66, 0xe9, 0x0a]), 2, /UTF-8/],
    ['utf16.md', Buffer.from('\uFEFF# hello\n', 'utf16le'), 1, /NUL|UTF-8/],
    ['broken.md', `${head('id: broken-yaml', 'verify: [npm test')}${RUN}`, 0, /broken YAML/],
    ['open.md', `---\nid: open\n${RUN}`, 1, /never closed/],
    ['bomb.md', bomb, 0, /aliases|anchors|brackets|separators|keys or values/],
    ['deep.md', `---\nx: ${'['.repeat(2000)}\n---\n${RUN}`, 2, /opening brackets/],
    ['listed.md', `---\n- a\n---\n${RUN}`, 2, /list of keys/],
    ['badvalue.md', `---\ntitle: x\ntimeout: soon\n---\n${RUN}`, 3, /timeout: is not a duration/],
    ['badid.md', `---\nid: ../../etc/passwd\n---\n${RUN}`, 2, /not a legal id/],
    ['storyid.md', `---\nid: foo.result\n---\n${RUN}`, 2, /kept for stories/],
    ['twice.md', `---\ntimeout: 5m\ntimeout: 6m\n---\n${RUN}`, 0, /unique|twice/],
    ['headonly.md', '---\nid: headonly\n---\n', 0, /no text below/],
  ];

  it.each(REFUSED)('%s is refused, naming file and line, its bytes kept', async (name, content, line, problem) => {
    fs.writeFileSync(join(pit().layout.queue, name), content);
    await pit().until(`${name} is refused`, () => refusal(pit(), name) !== undefined);
    const found = refusal(pit(), name);
    expect(found?.story).toMatch(problem);
    expect(found?.story).toMatch(line === 0 ? new RegExp(`${name}, line \\d+`) : new RegExp(`${name}, line ${line}\\b`));
    expect(found?.story).toContain('what to do');
    expect(fs.readFileSync(found?.kept ?? '').equals(Buffer.from(content))).toBe(true);
    await pit().until('it is told', () => pit().events().some((event) => event.kind === 'task-refused' && event.file === name));
  });

  it.each<[string, string]>([
    ['bom.md', `\uFEFF${head('title: with a mark')}${RUN}`],
    ['crlf.md', `${head('title: dos', 'attempts: 1')}${RUN}`.replaceAll('\n', '\r\n')],
    ['unknown.md', `${head('colour: red', 'prioritty: 5')}${RUN}`],
    ['camel.md', `${head('notBefore: x')}${RUN}`],
    ['plain.md', `# No front matter\n\n${RUN}`],
    ['rule.md', `Some text\n\n---\n\n${RUN}`],
    ['emptyhead.md', `---\n---\n${RUN}`],
    ['tilde.md', '~~~sh\necho ran\n~~~\n'],
    ['unclosed.md', '```sh\necho ran\n'],
  ])('%s is worked', async (name, content) => {
    fs.writeFileSync(join(pit().layout.queue, name), content);
    const id = name.replace('.md', '');
    await pit().until(`${id} has ended`, () => isIn(pit(), 'done', id) || isIn(pit(), 'failed', id));
    expect(story(pit(), 'failed', id)).toBe('');
    expect(fs.readFileSync(fileOf(pit(), 'done', id), 'utf8')).toBe(content);
    expect(await pit().ok('logs', id)).toContain('ran');
  });

  it.each<[string, string, RegExp]>([
    ['nohead.md', `run: make x\n\n${RUN}`, /line 1: run: looks like front matter without a line --- above and below it/],
    ['late.md', `\n---\nrun: make x\n---\n${RUN}`, /line 2: looks like front matter, which begins in the first line or not at all/],
    ['indented.md', `${head('attempts: 1')}# x\n    \`\`\`sh\n    echo ran\n    \`\`\`\n`, /line 5: the fence is indented by 4 blanks; Markdown does not take that as a fence/],
  ])('%s: a slip of the pen is told in its story, by show and in the event log', async (name, content, warning) => {
    const id = name.replace('.md', '');
    fs.writeFileSync(join(pit().layout.queue, name), content);
    await pit().until(`${id} has ended`, () => story(pit(), 'done', id) + story(pit(), 'failed', id) !== '');
    expect(await pit().ok('show', name)).toMatch(warning);
    expect(pit().events().some((event) => event.kind === 'task-warned' && event.id === id)).toBe(true);
  });

  it('a task that begins with a fence is called after its id, not after a comment in its script', async () => {
    pit().dropTask('fenced.md', sh('# a comment', 'true'));
    await pit().until('done', () => story(pit(), 'done', 'fenced') !== '');
    expect(story(pit(), 'done', 'fenced')).toMatch(/^# Done: fenced\n/);
  });

  it('an unknown key is kept and warned of, with the nearest right one', () => {
    const warnings = pit().events().flatMap((event) => (event.kind === 'task-warned' && event.id === 'unknown' ? [event.text] : []));
    expect(warnings).toHaveLength(2);
    expect(warnings[1]).toContain('did you mean priority?');
  });

  it('a task that no profile can work ends in failed/ and says what to add', async () => {
    pit().dropTask('prose.md', '# Only prose\n\nDo something nice.\n');
    await pit().until('it ended', () => story(pit(), 'failed', 'prose') !== '');
    expect(story(pit(), 'failed', 'prose')).toMatch(/unworkable: .*```sh blocks or a run: command/);
  });

  it('a sparse file of 100 MB is refused without being read', async () => {
    const beside = pit().beside('sparse.md');
    fs.writeFileSync(beside, RUN);
    fs.truncateSync(beside, 100 * 1024 * 1024);
    fs.renameSync(beside, join(pit().layout.queue, 'sparse.md'));
    await pit().until('refused', () => refusal(pit(), 'sparse.md') !== undefined);
    const found = refusal(pit(), 'sparse.md');
    expect(found?.story).toMatch(/larger than/);
    expect(fs.statSync(found?.kept ?? '').size).toBe(100 * 1024 * 1024);
  });

  it('a symbolic link, a FIFO and a socket are refused as they are; a directory is left alone, and wait does not wait for it', async () => {
    const secret = pit().beside('secret');
    fs.writeFileSync(secret, sh('echo secret'));
    fs.symlinkSync(secret, join(pit().layout.queue, 'link.md'));
    fs.symlinkSync('/nowhere', join(pit().layout.queue, 'dangling.md'));
    execFileSync('mkfifo', [join(pit().layout.queue, 'fifo.md')]);
    fs.mkdirSync(join(pit().layout.queue, 'dir.md'));
    for (const name of ['link.md', 'dangling.md', 'fifo.md']) {
      await pit().until(`${name} is refused`, () => refusal(pit(), name) !== undefined);
      expect(refusal(pit(), name)?.kept).toMatch(/\.special$/);
      expect(refusal(pit(), name)?.story).not.toContain('.special.md');
    }
    expect(fs.readlinkSync(refusal(pit(), 'link.md')?.kept ?? '')).toBe(secret);
    expect(fs.lstatSync(refusal(pit(), 'fifo.md')?.kept ?? '').isFIFO()).toBe(true);
    expect(fs.readFileSync(secret, 'utf8')).toContain('secret');
    expect((await pit().cli('wait', '--quiet', '--timeout', '20s')).code).not.toBe(124);
    expect(fs.statSync(join(pit().layout.queue, 'dir.md')).isDirectory()).toBe(true);
  });
});

describe('duplicates', () => {
  it('an id that is anywhere already is refused, with where it is and what to do', () =>
    withPit({}, async (pit) => {
      await pit.up(1);
      pit.dropTask('over.md', sh('true'));
      pit.dropTask('bad.md', head('attempts: 1') + sh('exit 3'));
      await pit.until('one done, one failed', () => hasEnded(pit, 'done', 'over') && story(pit, 'failed', 'bad') !== '');
      await pit.ok('pause');
      pit.dropTask('there.md', sh('true'));
      pit.dropTask('later.md', head('in: 1h') + sh('true'));
      await pit.until('both are in', () => isIn(pit, 'ready', 'there') && isIn(pit, 'waiting', 'later'));
      for (const [id, state] of [['over', 'done'], ['bad', 'failed'], ['there', 'ready'], ['later', 'waiting']] as const) {
        const name = `again-${id}.md`;
        pit.dropTask(name, head(`id: ${id}`) + sh('echo second'));
        await pit.until(`${name} is refused`, () => refusal(pit, name) !== undefined);
        expect(refusal(pit, name)?.story).toContain(`the id ${id} is taken: a task of that id is in ${state}/`);
        const added = await pit.cli('add', '--id', id, fileOf(pit, state, id));
        expect([added.code, added.stderr]).toEqual([65, expect.stringContaining('is taken')]);
      }
      expect(refusal(pit, 'again-bad.md')?.story).toContain('snakepit retry bad');
      pit.dropTask('Over.md', sh('echo by its name'));
      await pit.until('the same id by another name', () => refusal(pit, 'Over.md') !== undefined);
      await pit.ok('resume');
      await pit.until('the first one went through untouched', () => hasEnded(pit, 'done', 'there'));
      expect(read(fileOf(pit, 'done', 'over'))).toBe(sh('true'));
    }));
});

describe('a person may move, remove and edit what nobody has claimed', () => {
  const pit = sharedPit(QUICK, 1);
  const dir = (state: Parameters<typeof isIn>[1]): string => pit().layout.dir(state);
  beforeAll(async () => {
    await pit().ok('pause');
  });

  it('ready to held, and back', async () => {
    pit().dropTask('keep.md', sh('true'));
    await pit().until('ready', () => isIn(pit(), 'ready', 'keep'));
    mv(fileOf(pit(), 'ready', 'keep'), dir('held'));
    expect(await pit().ok('ls', 'held')).toContain('keep');
    await pit().ok('resume');
    pit().dropTask('other.md', sh('true'));
    await pit().until('another one went through', () => isIn(pit(), 'done', 'other'));
    expect(isIn(pit(), 'held', 'keep')).toBe(true);
    mv(fileOf(pit(), 'held', 'keep'), dir('ready'));
    await pit().until('done', () => isIn(pit(), 'done', 'keep'));
    await pit().ok('pause');
  });

  it('ready to queue: taken in again under the same id, with its new text', async () => {
    pit().dropTask('edit.md', sh('echo before'));
    await pit().until('ready', () => isIn(pit(), 'ready', 'edit'));
    const out = join(pit().layout.queue, 'edit.md');
    mv(fileOf(pit(), 'ready', 'edit'), out);
    await pit().until('ready again', () => isIn(pit(), 'ready', 'edit'));
    fs.writeFileSync(fileOf(pit(), 'ready', 'edit'), sh('echo after'));
    mv(fileOf(pit(), 'ready', 'edit'), pit().layout.queue);
    await pit().until('ready once more, from its long name', () => isIn(pit(), 'ready', 'edit'));
    expect(pit().files('ready')).toHaveLength(1);
    await pit().ok('resume');
    await pit().until('done', () => isIn(pit(), 'done', 'edit'));
    expect(await pit().ok('logs', 'edit')).toBe('after\n');
    await pit().ok('pause');
  });

  it('a ready file removed is no task any more, and nobody minds', async () => {
    pit().dropTask('unwanted.md', sh('true'));
    await pit().until('ready', () => isIn(pit(), 'ready', 'unwanted'));
    fs.rmSync(fileOf(pit(), 'ready', 'unwanted'));
    expect((await pit().cli('show', 'unwanted')).code).toBe(66);
    await pit().ok('resume');
    pit().dropTask('next.md', sh('true'));
    await pit().until('the next one went through', () => isIn(pit(), 'done', 'next'));
    await pit().ok('pause');
  });

  it('an edit in place that breaks it: the snake that claims it says line and remedy', async () => {
    pit().dropTask('spoilt.md', sh('true'));
    await pit().until('ready', () => isIn(pit(), 'ready', 'spoilt'));
    fs.writeFileSync(fileOf(pit(), 'ready', 'spoilt'), '---\ntimeout: soon\n---\nx\n');
    await pit().ok('resume');
    await pit().until('failed', () => story(pit(), 'failed', 'spoilt') !== '');
    expect(story(pit(), 'failed', 'spoilt')).toMatch(/unworkable: line 2: timeout: is not a duration/);
    await pit().ok('pause');
  });

  it('waiting to ready before its time: it goes back to wait; under a plain name dropped into ready/ it is taken in', async () => {
    pit().dropTask('notyet.md', head('in: 1h') + sh('true'));
    await pit().until('waiting', () => isIn(pit(), 'waiting', 'notyet'));
    mv(fileOf(pit(), 'waiting', 'notyet'), join(dir('ready'), 'notyet.md'));
    await pit().until('waiting again', () => isIn(pit(), 'waiting', 'notyet'));
    fs.rmSync(fileOf(pit(), 'waiting', 'notyet'));
  });

  it('waiting to held, under its own name, stays held until it is let go; waiting to ready: it is no duplicate of itself', async () => {
    pit().dropTask('moved.md', head('in: 1h') + sh('true'));
    await pit().until('waiting', () => isIn(pit(), 'waiting', 'moved'));
    const name = basename(fileOf(pit(), 'waiting', 'moved'));
    mv(join(dir('waiting'), name), dir('held'));
    await pit().until('it is taken in as held', () => fs.existsSync(join(dir('held'), name.slice(name.indexOf('_') + 1))));
    expect(await pit().ok('release', 'moved')).toBe('moved is waiting\n');
    mv(fileOf(pit(), 'waiting', 'moved'), dir('ready'));
    await pit().until('waiting again', () => isIn(pit(), 'waiting', 'moved'));
    expect(refusal(pit(), 'moved.md')).toBeUndefined();
    fs.rmSync(fileOf(pit(), 'waiting', 'moved'));
  });

  it('failed to queue is a retry: mended, it is worked with fresh counters and its old story kept', async () => {
    pit().dropTask('mend.md', head('attempts: 1') + sh('exit 9'));
    await pit().ok('resume');
    await pit().until('failed', () => story(pit(), 'failed', 'mend') !== '');
    fs.writeFileSync(fileOf(pit(), 'failed', 'mend'), sh('echo "attempt $SNAKEPIT_ATTEMPT"'));
    mv(fileOf(pit(), 'failed', 'mend'), pit().layout.queue);
    await pit().until('done', () => story(pit(), 'done', 'mend') !== '');
    expect(await pit().ok('logs', 'mend')).toBe('attempt 1\n');
    expect(story(pit(), 'failed', 'mend')).toBe('');
    expect(fs.readdirSync(join(pit().layout.runs, 'mend')).some((name) => name.startsWith('story-before-'))).toBe(true);
  });

  it('mv of all of failed/ or done/ into the queue: the tasks are worked again, their stories are put away, a stranger\'s file stays', async () => {
    pit().dropTask('m1.md', head('attempts: 1') + sh(`test -e '${pit().beside('m1')}'`));
    pit().dropTask('m2.md', sh('true'));
    pit().dropTask('m3.md', '---\ntimeout: soon\n---\nx\n');
    await pit().ok('resume');
    await pit().until('ended', () => story(pit(), 'failed', 'm1') !== '' && story(pit(), 'done', 'm2') !== '' && refusal(pit(), 'm3.md') !== undefined);
    fs.writeFileSync(pit().beside('m1'), '');
    for (const name of fs.readdirSync(dir('failed')).filter((one) => one.startsWith('m'))) mv(join(dir('failed'), name), pit().layout.queue);
    for (const name of ['m2.md', 'm2.result.md']) mv(join(dir('done'), name), pit().layout.queue);
    fs.writeFileSync(join(pit().layout.queue, 'notes.result.md'), '# My own notes\n');
    await pit().until('worked again', () => story(pit(), 'done', 'm1') !== '' && story(pit(), 'done', 'm2') !== '' && refusal(pit(), 'm3.md') !== undefined);
    await pit().until('the stories are put away', () => !fs.readdirSync(pit().layout.queue).some((name) => /^m.*\.md$/.test(name)));
    expect(fs.readdirSync(pit().layout.queue)).toContain('notes.result.md');
    expect(fs.readdirSync(join(pit().layout.runs, 'm1')).filter((name) => name.startsWith('story-before-'))).toHaveLength(1);
    expect(fs.readdirSync(join(pit().layout.runs, 'm3')).filter((name) => name.startsWith('refused-'))).toHaveLength(1);
    fs.rmSync(refusal(pit(), 'm3.md')?.kept ?? '');
  });

  it('a refused file mended and moved back under its long name gets its own id', async () => {
    pit().dropTask('typo.md', '---\ntimeout: soon\n---\nx\n');
    await pit().until('refused', () => refusal(pit(), 'typo.md') !== undefined);
    const kept = refusal(pit(), 'typo.md')?.kept ?? '';
    fs.writeFileSync(kept, sh('true'));
    mv(kept, pit().layout.queue);
    await pit().until('done', () => isIn(pit(), 'done', 'typo'));
  });

  it('an empty state directory removed: the pit lives on', async () => {
    fs.rmdirSync(dir('held'));
    pit().dropTask('after-held.md', sh('true'));
    await pit().until('done', () => isIn(pit(), 'done', 'after-held'));
    await pit().up(1);
    expect(fs.existsSync(dir('held'))).toBe(true);
  });
});

describe('what may not be read', () => {
  // The tests may run as root, whom no mode keeps out: the refusal of the system is made here.
  it('EACCES on one file refuses that file and does not throw; any other failure does', () =>
    withPit({}, async (pit) => {
      const failing = (code: string): typeof nodeFiles => ({ ...nodeFiles, readBytes: async (path) => Promise.reject(new PathError('reading', path, Object.assign(new Error(code), { code }))) });
      const ports = { files: nodeFiles, clock: systemClock, events: { emit: async () => undefined } };
      fs.writeFileSync(join(pit.layout.queue, 'locked.md'), 'x');
      const round = await beginRound(nodeFiles, pit.layout);
      await expect(takeIn({ ...ports, files: failing('EMFILE') }, pit.layout, round, pit.layout.queue, Buffer.from('locked.md'), 1000)).rejects.toThrow('EMFILE');
      expect(fs.existsSync(join(pit.layout.queue, 'locked.md'))).toBe(true);
      expect(await takeIn({ ...ports, files: failing('EACCES') }, pit.layout, round, pit.layout.queue, Buffer.from('locked.md'), 1000)).toMatchObject({ ok: false });
      expect(refusal(pit, 'locked.md')?.story).toContain('EACCES');
    }));
});
