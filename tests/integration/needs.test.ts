import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseAny } from '../../src/protocol/names.js';
import { askingPit, how, needsFile, told, type Started } from '../rig/asking.js';
import { cleanMutants, plantProgram } from '../rig/mutants.js';
import type { Pit } from '../rig/pit.js';
import { call, head, hasEnded, isIn, killPit, read, sh, story, withPit } from './rig.js';

/* A full-screen program that asks, in real tmux: parked, answered, done. */

let dir = '';
beforeEach(() => {
  dir = fs.mkdtempSync(join(tmpdir(), 'asks-'));
});
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));
afterAll(cleanMutants);

const ASKS = { menu: { ask: 'May I delete the branch?', rows: ['No', 'Yes, and do not ask again'] }, says: ['I have looked at everything.'], doneWhenAnswered: true };
const parked = (pit: Pit, id: string): Promise<void> => pit.until(`${id} is parked, with its question`, () => isIn(pit, 'needs', id) && fs.existsSync(join(pit.layout.dir('needs'), `${id}.question.md`)), 40_000);
const ended = (pit: Pit, id: string, state: 'done' | 'failed'): Promise<void> => pit.until(`${id} is ${state}, with its story`, () => hasEnded(pit, state, id), 40_000);
const done = (pit: Pit, id: string): Promise<void> => ended(pit, id, 'done');
const fileOf = (pit: Pit, id: string): string => pit.files('needs').find((name) => name.includes(`~${id}~`)) ?? '';

describe('a task whose agent asks', () => {
  it('is parked with its question, answered, goes on in its session and its workspace, and ends once', () =>
    withPit(askingPit(dir), async (pit) => {
      how(dir, ASKS);
      await pit.up(1);
      pit.dropTask('a.md', '---\npriority: high\n---\n# Tidy up\n\nPlease tidy up.\n');
      pit.dropTask('b.md', '---\nagent: shell\nafter: [a]\n---\n```sh\ntrue\n```\n');
      await parked(pit, 'a');
      expect(parseAny(fileOf(pit, 'a'))).toMatchObject({ id: 'a', place: { priority: 30 }, counters: { failures: 0, losses: 0, deferrals: 1 } });
      const question = needsFile(pit, '.question.md');
      for (const part of ['# Asks: Tidy up', 'for permission', '▲ May I delete the branch?', 'Yes, and do not ask again', 'snakepit answer a', `mv queue/needs/${fileOf(pit, 'a')} queue/`, '.snakepit/runs/a/001-']) expect(question).toContain(part);

      const waited = await pit.cli('wait', '--timeout', '30s');
      expect([waited.code, waited.stderr]).toEqual([1, expect.stringContaining('a asks something: snakepit needs')]);
      expect((await pit.cli('wait', 'b', '--timeout', '30s')).code).toBe(1);
      expect(await pit.ok('needs')).toMatch(/a +permission +.*May I delete the branch/);
      expect(await pit.ok('ls', 'needs')).toMatch(/parked +a +2 +30 +asks \(permission\)/);
      expect(await pit.ok('status')).toContain('parked 1');
      expect(await pit.ok('show', 'a')).toBe(question);
      expect(await pit.ok('show', 'b')).toContain('waits for a (which needs a person)');
      for (const [args, code] of [[['retry', 'a'], 64], [['hold', 'a'], 64], [['answer', 'b', 'x'], 64], [['answer', 'ghost', 'x'], 66], [['answer', 'a', ' '], 64]] as const) expect([args, (await pit.cli(...args)).code]).toEqual([args, code]);
      pit.dropTask('again.md', '---\nid: a\n---\nAnother a.\n');
      await pit.until('another of that id is refused', () => pit.files('failed').some((name) => name.startsWith('again.refused-')));

      expect(await pit.ok('answer', 'a', 'yes,', 'but', 'keep "main"')).toContain('a is ready again');
      await done(pit, 'a');
      await done(pit, 'b');
      expect(story(pit, 'done', 'a')).toContain('was told: yes, but keep "main"');
      expect(story(pit, 'done', 'a')).toContain('asked a person (permission)');
      const [first, second] = told<Started>(dir, 'started');
      expect(first?.argv[0]).toBe('--session-id');
      expect(second?.argv.slice(0, 2)).toEqual(['--resume', first?.argv[1]]);
      expect(second?.workspace).toBe(first?.workspace);
      expect(second?.prompt).toMatch(/^You asked a person[^]*▲ May I delete the branch\?[^]*yes, but keep "main"[^]*Please tidy up\./);
      expect(pit.files('needs', true)).toEqual([]);
      expect(pit.events().filter((event) => 'id' in event && event.id === 'a' && ['task-parked', 'task-answered', 'task-done'].includes(event.kind)).map((event) => event.kind)).toEqual(['task-parked', 'task-answered', 'task-done']);
    }));

  it('edited in place: a slip is told and nothing moves; without words it goes on, afresh where its program cannot resume; moved by hand as well', () =>
    withPit(askingPit(dir, { profile: { env: {} } }), async (pit) => {
      how(dir, ASKS);
      await pit.up(1);
      for (const id of ['a', 'b', 'c']) pit.dropTask(`${id}.md`, `Please do ${id}.\n`);
      for (const id of ['a', 'b', 'c']) await parked(pit, id);
      const edit = (text: string): void => fs.writeFileSync(join(pit.layout.dir('needs'), fileOf(pit, 'a')), text);
      edit('---\npriority: soon\n---\nPlease do a.\n');
      const slip = await pit.cli('answer', 'a', 'yes');
      expect([slip.code, slip.stderr]).toEqual([65, expect.stringMatching(/queue\/needs\/.*:2: priority/)]);
      edit('---\nid: other\n---\nPlease do a.\n');
      expect((await pit.cli('answer', 'a')).code).toBe(65);
      expect(isIn(pit, 'needs', 'a')).toBe(true);
      how(dir, {});
      edit('---\nid: a\n---\nPlease do a, and delete the branch.\n');
      expect(await pit.ok('answer', 'a')).toContain('as it stands now');
      // The questions go with their tasks, as a person moves them.
      fs.renameSync(join(pit.layout.dir('needs'), fileOf(pit, 'b')), join(pit.layout.queue, fileOf(pit, 'b')));
      fs.renameSync(join(pit.layout.dir('needs'), 'b.question.md'), join(pit.layout.queue, 'b.question.md'));
      fs.renameSync(join(pit.layout.dir('needs'), fileOf(pit, 'c')), join(pit.layout.dir('ready'), fileOf(pit, 'c')));
      await pit.until('all were started again', () => told<Started>(dir, 'started').length >= 4, 40_000);
      const again = told<Started>(dir, 'started')[3];
      expect(again?.argv[0]).toBe('--session-id');
      expect(again?.prompt).toMatch(/^An earlier attempt at this task asked[^]*No words: read the task below/);
      expect(told<Started>(dir, 'started').slice(0, 3).map((one) => one.workspace)).toContain(again?.workspace);
      await pit.until('no question is left', () => pit.files('needs', true).length === 0 && !fs.existsSync(join(pit.layout.queue, 'b.question.md')), 20_000);
      expect(fs.readdirSync(join(pit.layout.runs, 'b')).some((name) => /^question-\d+\.md$/.test(name))).toBe(true);
      for (const id of ['b', 'c']) expect(await pit.ok('show', id)).toContain('deferred 1');
    }));

  it('fails where it is to fail, and when it asks too often; what is parked can be cancelled', () =>
    withPit(askingPit(dir, { lines: ['asks: 1', 'attempts: 1'] }), async (pit) => {
      how(dir, { ...ASKS, doneWhenAnswered: false });
      await pit.up(3);
      pit.dropTask('a.md', '---\nask: fail\n---\nPlease do a.\n');
      pit.dropTask('b.md', 'Please do b.\n');
      pit.dropTask('c.md', 'Please do c.\n');
      await ended(pit, 'a', 'failed');
      expect(story(pit, 'failed', 'a')).toContain('blocked: menu');
      await parked(pit, 'b');
      await parked(pit, 'c');
      expect((await call(pit, ['answer', 'b', '-'], { input: 'Say\nno.\n' })).code).toBe(0);
      expect(await pit.ok('cancel', 'c')).toContain('failed/');
      await ended(pit, 'b', 'failed');
      expect(story(pit, 'failed', 'b')).toMatch(/why\*\*: asked-too-often: 2 times/);
      expect(story(pit, 'failed', 'b')).toContain('asks: in snakepit.yaml');
      expect(told<Started>(dir, 'started').find((one) => one.answer !== '')?.answer).toBe('Say\nno.');
      expect(story(pit, 'failed', 'c')).toContain('instead of answering it');
      expect(pit.files('needs', true)).toEqual([]);
    }));
});

describe('a session that asks in words', () => {
  const QUESTION = 'Keep the old table, or drop it? "$HOME" `id`';
  it('full screen, by the file: parked with its question, and gone on with after the answer', () =>
    withPit(askingPit(dir), async (pit) => {
      how(dir, { asksInWords: QUESTION, doneWhenAnswered: true });
      await pit.up(1);
      pit.dropTask('a.md', '# Tidy up\n\nPlease tidy up.\n');
      await parked(pit, 'a');
      for (const part of ['**asks**: a question', QUESTION, 'snakepit answer a']) expect(needsFile(pit, '.question.md')).toContain(part);
      expect(await pit.ok('needs')).toMatch(/a +asked +.*Keep the old table/);
      await pit.ok('answer', 'a', 'drop it');
      await done(pit, 'a');
      expect(story(pit, 'done', 'a')).toContain('was told: drop it');
      expect(story(pit, 'done', 'a')).toContain('asked a person (asked)');
      const [first, second] = told<Started>(dir, 'started');
      expect(second?.argv.slice(0, 2)).toEqual(['--resume', first?.argv[1]]);
      expect([second?.workspace, second?.prompt]).toEqual([first?.workspace, expect.stringMatching(/^You asked a person[^]*Keep the old table[^]*drop it[^]*Please tidy up\./)]);
    }));

  it('print mode, by the command and by the file beside its work; where it is to fail it fails, and a question of no words is none', () =>
    withPit({}, async (pit) => {
      await pit.up(2);
      const asking = (ask: string): string => sh('[ -z "$SNAKEPIT_ANSWER" ] || { snakepit done "told: $SNAKEPIT_ANSWER"; exit; }', ask);
      pit.dropTask('a.md', asking(`snakepit ask 'Which "one"?' && exit 3`));
      pit.dropTask('b.md', asking('printf \'{"outcome":"ask","message":"Which?"}\' > "$SNAKEPIT_RESULT_FALLBACK"'));
      pit.dropTask('c.md', head('ask: fail') + asking('snakepit ask "Which?"'));
      pit.dropTask('d.md', head('attempts: 1') + sh('printf \'{"outcome":"ask"}\' > "$SNAKEPIT_RESULT"'));
      pit.dropTask('e.md', head('attempts: 1') + sh('snakepit ask " "'));
      for (const id of ['a', 'b']) await parked(pit, id);
      await pit.ok('answer', 'a', 'the first');
      await killPit(pit);
      await pit.ok('answer', 'b', 'the other');
      await pit.up(2);
      for (const id of ['a', 'b']) await done(pit, id);
      expect(story(pit, 'done', 'a')).toContain('told: the first');
      expect(story(pit, 'done', 'b')).toContain('told: the other');
      for (const id of ['d', 'e']) await ended(pit, id, 'failed');
      await pit.until('c has failed', () => hasEnded(pit, 'failed', 'c'), 40_000);
      expect(story(pit, 'failed', 'd')).toContain('message says no question');
      expect(story(pit, 'failed', 'e')).toContain('the question is empty');
      expect(story(pit, 'failed', 'c')).toContain('blocked: it asks a person: Which?');
    }));
});

describe('a task whose profile knows the safe answer, and may give it', () => {
  const allow = (more: Parameters<typeof askingPit>[1] = {}): ReturnType<typeof askingPit> => askingPit(dir, { ...more, lines: ['signal: 2s', ...(more.lines ?? [])], profile: { ask: 'allow', ...more.profile } });
  const chosen = (): string[] => told<{ row: string }>(dir, 'chosen').map((one) => one.row);
  const allowed = (pit: Pit): string[] => pit.events().flatMap((event) => (event.kind === 'allowed' ? [event.result] : []));

  it('its label is sought on the screen, wherever it stands; two dialogs, one after the other; done', () =>
    withPit(allow(), async (pit) => {
      how(dir, { menu: [{ ask: 'May I read?', rows: ['No', 'Never', 'Yes, go on'] }, { ask: 'May I write?', rows: ['Yes, go on', 'No'], at: 1, done: true }] });
      await pit.up(1);
      pit.dropTask('a.md', 'Please do a.\n');
      await done(pit, 'a');
      expect(chosen()).toEqual(['Yes, go on', 'Yes, go on']);
      expect(story(pit, 'done', 'a')).toContain('chose Yes, go on');
      expect(story(pit, 'done', 'a')).toContain('after 1 attempt');
      await pit.until('what came of both is told', () => allowed(pit).length === 2);
      // The second ends the session: its going may come before the look that would prove it.
      expect(allowed(pit)[0]).toBe('gone');
      expect(pit.events().filter((event) => event.kind === 'allowed').map((event) => [event.dialog, event.label])).toEqual([['menu', '\\d\\. Yes, go on'], ['menu', '\\d\\. Yes, go on']]);
      expect(pit.events().some((event) => event.kind === 'asked')).toBe(true);
    }));

  it('by a key of its own, where the profile gives one', () =>
    withPit(allow({ answer: { label: '\\d\\. Yes, go on', cursor: '^❯', key: 'y' } }), async (pit) => {
      how(dir, { menu: { ask: 'May I?', rows: ['No', 'Yes, go on'], keys: { y: 1 }, frozen: true, done: true } });
      await pit.up(1);
      pit.dropTask('a.md', 'Please do a.\n');
      await done(pit, 'a');
      expect(chosen()).toEqual(['Yes, go on']);
    }));

  it.each<[string, object, string[], string, Parameters<typeof askingPit>[1]]>([
    ['it has no safe answer', { menu: { ask: 'Log in?', rows: ['No', 'Yes, go on'] } }, [], 'its profile knows no safe answer to this dialog', {}],
    ['it stands after two presses', { menu: { ask: 'May I?', rows: ['No', 'Yes, go on'], stubborn: true } }, ['Yes, go on', 'Yes, go on'], 'the dialog stands after 2 presses', {}],
    ['its cursor does not move: nothing is pressed blindly', { menu: { ask: 'May I?', rows: ['No, exit', 'Yes, go on'], frozen: true } }, [], 'the cursor did not come to the labelled row', {}],
    ['two rows read like the safe one', { menu: { ask: 'May I?', rows: ['Yes, go on', 'Yes, go on and on'] } }, [], '2 rows read like the safe choice', {}],
  ])('parked where %s', (_name, ways, presses, why, more) =>
    withPit(allow(more), async (pit) => {
      how(dir, ways);
      await pit.up(1);
      pit.dropTask('a.md', 'Please do a.\n');
      await parked(pit, 'a');
      expect(chosen()).toEqual(presses);
      expect(pit.events().filter((event) => event.kind === 'left-to-person').map((event) => event.rule)).toEqual([expect.stringContaining(why)]);
      expect(needsFile(pit, 'a.question.md')).toContain('▲');
    }));

  it('a dialog that is only quoted is answered by nobody', () =>
    withPit(allow(), async (pit) => {
      how(dir, { says: ['● It said:', '▲ May I?', '❯ 1. Yes, go on', '  2. No'] });
      await pit.up(1);
      pit.dropTask('a.md', 'Please do a.\n');
      // It stands there quoting until it is asked whether it is done: a look at it went well, and saw no dialog.
      await pit.until('it was spoken to', () => told(dir, 'submitted').length > 0, 30_000);
      expect([chosen(), told(dir, 'eaten'), allowed(pit), pit.events().filter((event) => event.kind === 'asked')]).toEqual([[], [], [], []]);
    }));

  it('the pit is killed at the press: another one goes on, and never presses more than twice', () =>
    withPit(allow(), async (pit) => {
      how(dir, { menu: { ask: 'May I?', rows: ['No', 'Yes, go on'], stubborn: true } });
      await pit.up(1);
      pit.dropTask('a.md', 'Please do a.\n');
      await pit.until('it is pressed', () => chosen().length > 0, 30_000);
      const daemon = await pit.daemon();
      if (daemon === undefined) throw new Error('no pit');
      await pit.kill(daemon);
      await pit.until('the pit is dead', async () => (await pit.daemon()) === undefined);
      await pit.up(1);
      await parked(pit, 'a');
      expect(chosen()).toEqual(['Yes, go on', 'Yes, go on']);
    }));
});

/** Dies once per run at that very point, as of kill -9. */
const DIES = "if (!(await files.exists(`${dir}/died`))) { await files.write(`${dir}/died`, ''); process.kill(process.pid, 'SIGKILL'); await new Promise(() => undefined); }";

describe('kill -9 between the steps of parking', () => {
  it.each([
    ['its outcome is recorded, nothing is moved', 'snake/apply.js', 'const { id } = claim.name;\n    if', `const { id } = claim.name;\n    ${DIES}\n    if`],
    ['it is moved, its question is not written', 'snake/apply.js', 'await tellSettled(files', `${DIES}\n    await tellSettled(files`],
  ])('the snake, when %s', (_name, file, find, replace) =>
    withPit({ ...askingPit(dir), dist: plantProgram(file, find, replace) }, async (pit) => {
      how(dir, ASKS);
      await pit.up(1);
      pit.dropTask('a.md', 'Please do a.\n');
      await parked(pit, 'a');
      expect(pit.events().some((event) => event.kind === 'snake-ended')).toBe(true);
      expect(parseAny(fileOf(pit, 'a'))?.counters).toEqual({ failures: 0, losses: 0, deferrals: 1 });
      await pit.ok('answer', 'a', 'yes');
      await done(pit, 'a');
      expect(story(pit, 'done', 'a')).toContain('after 2 attempts');
    }));

  it('the snake and the pit: the reaper rolls it forward', () =>
    withPit({ ...askingPit(dir), dist: plantProgram('snake/apply.js', 'const { id } = claim.name;\n    if', `const { id } = claim.name;\n    ${DIES.replace('process.kill', "await files.write(`${setting.layout.root}/asked`, ''); process.kill")}\n    if`) }, async (pit) => {
      how(dir, ASKS);
      await pit.up(1);
      pit.dropTask('a.md', 'Please do a.\n');
      await pit.until('its session runs', () => told(dir, 'started').length > 0, 30_000);
      const daemon = await pit.daemon();
      await pit.until('the pit has seen it ask', () => pit.events().some((event) => event.kind === 'agent-state' && event.state === 'blocked-on-permission'), 20_000);
      if (daemon === undefined) throw new Error('no pit');
      await pit.kill(daemon);
      await pit.until('its snake has died at the end', async () => fs.existsSync(join(pit.root, 'asked')) && (await pit.snakes()).length === 0, 40_000);
      expect(pit.files('claimed')).toHaveLength(1);
      await pit.until('cleanup has parked it', async () => {
        // 0: nothing was to be done; 1: it was mended.
        expect([0, 1]).toContain((await pit.cli('cleanup')).code);
        return pit.files('needs').length > 0;
      }, 40_000);
      expect(needsFile(pit, 'a.question.md')).toContain('▲ May I delete the branch?');
      expect(parseAny(fileOf(pit, 'a'))?.counters).toEqual({ failures: 0, losses: 0, deferrals: 1 });
      await pit.ok('answer', 'a', 'yes');
      await pit.up(1);
      await done(pit, 'a');
      expect(story(pit, 'done', 'a')).toContain('was told: yes');
    }));

  it('whoever answers: said again without words, the answer that lies there is given', () =>
    withPit(askingPit(dir), async (pit) => {
      how(dir, ASKS);
      await pit.up(1);
      pit.dropTask('a.md', 'Please do a.\n');
      await parked(pit, 'a');
      const run = join(pit.layout.runs, 'a', fs.readdirSync(join(pit.layout.runs, 'a'))[0] ?? '');
      fs.writeFileSync(join(run, 'answer.md'), 'yes, of course\n');
      expect(await pit.ok('answer', 'a')).toContain('with the answer that was given before: yes, of course');
      await done(pit, 'a');
      expect(read(join(pit.layout.dir('done'), 'a.result.md'))).toContain('was told: yes, of course');
      expect(basename(run)).toMatch(/^001-/);
    }));
});
