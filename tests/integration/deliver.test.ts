import { execFile, execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deliver } from '../../src/agents/deliver/deliver.js';
import { paneLock } from '../../src/agents/deliver/lock.js';
import type { Receipt } from '../../src/agents/deliver/state.js';
import type { DeliveryTarget } from '../../src/agents/deliver/target.js';
import { systemClock } from '../../src/lib/clock.js';
import { linuxProcesses } from '../../src/lib/linux-processes.js';
import { nodeFiles } from '../../src/lib/node-files.js';
import type { TmuxPane } from '../../src/tmux/pane.js';
import { TmuxServer } from '../../src/tmux/server.js';
import { FAKE_TARGET, fakeLook, fakeProof } from '../rig/fake-look.mjs';
import { until } from '../rig/until.js';

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const DIST = path('../../dist');
const SESSION = 'pane-1';
const SIZE = { columns: 100, rows: 30 };
const WHOLE: Partial<DeliveryTarget['policy']> = {};

const ONE = 'Please look at the third file again: "quotes", $HOME, `ticks`, %d #{pane_id} ünï😀 end';
const TEN = Array.from({ length: 10 }, (_, at) => `line ${at + 1} of ten;\tit has a tab, a \\ and 'quotes'`).join('\n');
const FIVE_KB = Array.from({ length: 73 }, (_, at) => `${String(at).padStart(3, '0')} the quick brown fox jumps over the lazy dog, and over another one.`).join('\n').padEnd(5120, '.');

let dir = '';
let server: TmuxServer;
let pane: TmuxPane;
const file = (name: string): string => join(dir, name);
const read = (name: string): string => (fs.existsSync(file(name)) ? fs.readFileSync(file(name), 'utf8') : '');
const told = (name: string): { text: string; while?: string }[] => read(`${name}.jsonl`).split('\n').filter((line) => line !== '').map((line) => JSON.parse(line));
const submitted = (): string[] => told('submitted').map((one) => one.text);
const tmux = (...args: string[]): string => execFileSync('tmux', ['-u', '-S', file('t.sock'), ...args], { encoding: 'utf8' });
const how = (change: object): void => {
  fs.writeFileSync(file('how.tmp'), JSON.stringify({ ...JSON.parse(read('how.json') || '{}'), ...change }));
  fs.renameSync(file('how.tmp'), file('how.json'));
};
const screen = async (): Promise<string> => {
  const seen = await pane.observe();
  return seen.kind === 'seen' ? seen.capture.text : seen.kind;
};
const shows = (what: string): Promise<void> => until(`the screen shows ${what}`, async () => (await screen()).includes(what), 10_000);

/** Starts the program; its pane outlives it, as in snakepit's hands it may for an instant. */
async function start(ways: object = {}, ready = '? for help'): Promise<void> {
  how({ hooks: true, ...ways });
  fs.writeFileSync(file('events.jsonl'), '');
  expect(await server.launch({ session: SESSION, env: {}, argv: [process.execPath, path('../rig/fake-tui.mjs'), dir], recording: '/dev/null', size: SIZE })).toEqual({ kind: 'launched' });
  if (ready !== '') await shows(ready);
}

const send = (text: string, change: Partial<DeliveryTarget> = {}, policy: Partial<DeliveryTarget['policy']> = WHOLE): Promise<Receipt> =>
  deliver(
    { clock: systemClock, pane, look: fakeLook, proof: fakeProof(() => read('events.jsonl'), JSON.parse(read('how.json')).hooks === true), lock: paneLock(nodeFiles, linuxProcesses, file('lock')) },
    { ...FAKE_TARGET, ...change, policy: { ...FAKE_TARGET.policy, ...policy } },
    text,
  );

beforeEach(async () => {
  dir = fs.mkdtempSync(join(tmpdir(), 'deliver-'));
  server = new TmuxServer(file('t.sock'), file('t.conf'));
  pane = server.pane(SESSION);
  expect(await server.found(nodeFiles)).toBe('up');
  tmux('set', '-g', 'remain-on-exit', 'on');
});
afterEach(async () => {
  await server.killServer();
  fs.rmSync(dir, { recursive: true, force: true });
});

describe('a text into a composer', () => {
  it.each([['one line', ONE], ['ten lines', TEN], ['5 KB', FIVE_KB]])('%s, intact, once, told by the program itself', async (_name, text) => {
    await start();
    expect(await send(text)).toMatchObject({ kind: 'submitted', proof: 'event', keys: 1 });
    expect(submitted()).toEqual([text]);
  });

  it.each([['folded', { fold: 4 }], ['alternate screen', { alternate: true }], ['slow to paint', { paintMs: 200 }], ['no hooks', { hooks: false }], ['no hooks, quick turns', { hooks: false, workMs: 1 }], ['its cursor never rests', { nervous: true }]])('%s: all three lengths', async (_name, ways) => {
    await start(ways);
    for (const text of [ONE, TEN, FIVE_KB]) {
      expect(await send(text, {}, { patienceMs: 5000, proofMs: 5000 })).toMatchObject({ kind: 'submitted' });
      await shows('* ready');
    }
    expect(submitted()).toEqual([ONE, TEN, FIVE_KB]);
  });

  it.each(['nothing', 'newline'])('a key that comes too soon is swallowed as %s: the delay spares it', async (swallowAs) => {
    await start({ swallowMs: 50, swallowAs });
    for (const text of [ONE, TEN]) expect(await send(text)).toMatchObject({ kind: 'submitted', keys: 1 });
    expect(submitted()).toEqual([ONE, TEN]);
  });

  it('keys that are lost are repeated, the text never', async () => {
    await start({ ignoreEnters: 2 });
    expect(await send(ONE)).toMatchObject({ kind: 'submitted', proof: 'event', keys: 3 });
    expect(submitted()).toEqual([ONE]);
  });

  it('keys that never do anything: unconfirmed; another try finds the text and sends the key alone', async () => {
    await start({ ignoreEnters: 4 });
    expect(await send(ONE)).toMatchObject({ kind: 'unconfirmed', reason: 'stuck', keys: 4 });
    expect(await screen()).toContain('Please look at the third file');
    expect(await send('something else entirely')).toMatchObject({ kind: 'refused', reason: 'draft' });
    expect(await send(ONE)).toMatchObject({ kind: 'submitted', keys: 1 });
    expect(submitted()).toEqual([ONE]);
  });

  it('what was cut on the way is told', async () => {
    await start({ cut: true });
    expect(await send(ONE)).toMatchObject({ kind: 'unconfirmed', reason: 'altered' });
  });

  it('its first text waits until the composer has been there for a while', async () => {
    await start({ startMs: 400, deafMs: 550 }, 'starting');
    expect(await send(FIVE_KB, {}, { patienceMs: 5000 })).toMatchObject({ kind: 'submitted', proof: 'event' });
    expect(submitted()).toEqual([FIVE_KB]);
  });

  it('escapes cannot end the bracket of the paste', async () => {
    await start();
    expect(await send('a\u001b[201~\rb\u009b201~c\u0007')).toMatchObject({ kind: 'submitted' });
    expect(submitted()).toEqual(['a[201~\nb201~c']);
  });
});

describe('while it works', () => {
  it('queued, and taken once', async () => {
    // Longer than a loaded machine takes to type.
    await start({ workMs: 4000 });
    await send('first text of all');
    await shows('Working');
    expect(await send(TEN)).toMatchObject({ kind: 'queued', keys: 1 });
    await until('taken', () => submitted().length === 2, 15_000);
    expect(told('submitted')[1]).toEqual({ text: TEN, while: 'working' });
  });

  it('by the key that queues, where the other one would interrupt', async () => {
    await start({ workMs: 4000, midTurn: 'interrupt', queueKey: 'tab' });
    await send('first text of all');
    await shows('Working');
    expect(await send(ONE, { queueKey: 'Tab' })).toMatchObject({ kind: 'queued' });
    await until('taken', () => submitted().length === 2, 15_000);
    expect(submitted()).toEqual(['first text of all', ONE]);
  });

  it('not before the turn has ended, where no key queues', async () => {
    await start({ workMs: 800, midTurn: 'interrupt' });
    await send('first text of all');
    await shows('Working');
    expect(await send(ONE, {}, { busy: 'wait', patienceMs: 100 })).toMatchObject({ kind: 'refused', reason: 'busy' });
    expect(await send(ONE, {}, { busy: 'wait', patienceMs: 5000 })).toMatchObject({ kind: 'submitted' });
    expect(submitted()).toEqual(['first text of all', ONE]);
  });
});

describe('what forbids it', () => {
  it('copy mode is left', async () => {
    await start();
    tmux('copy-mode', '-t', `=${SESSION}:`);
    expect(await send(TEN)).toMatchObject({ kind: 'submitted' });
    tmux('copy-mode', '-t', `=${SESSION}:`);
    tmux('choose-tree', '-t', `=${SESSION}:`);
    expect(await send(ONE)).toMatchObject({ kind: 'submitted' });
    expect(submitted()).toEqual([TEN, ONE]);
  });

  it("a person's draft is left alone; the text goes in when it is gone", async () => {
    await start({ draft: 'rm -rf my half-finished thought' });
    expect(await send(ONE)).toMatchObject({ kind: 'refused', reason: 'draft', evidence: 'rm -rf my half-finished thought' });
    expect(submitted()).toEqual([]);
    const late = send(ONE, {}, { patienceMs: 10_000 });
    tmux('send-keys', '-t', `=${SESSION}:`, 'C-u');
    expect(await late).toMatchObject({ kind: 'submitted' });
    expect(submitted()).toEqual([ONE]);
  });

  it('a dialog gets no key; the text goes in when it is closed', async () => {
    await start({ dialog: 'Do you trust this folder?' }, 'trust');
    expect(await send(ONE)).toMatchObject({ kind: 'refused', reason: 'dialog' });
    const late = send(ONE, {}, { patienceMs: 10_000 });
    how({ dialog: null });
    expect(await late).toMatchObject({ kind: 'submitted' });
    expect([told('eaten'), submitted()]).toEqual([[], [ONE]]);
  });

  it('a dialog that comes up with the text in the composer gets no key', async () => {
    await start();
    const going = send(ONE, {}, { delayMs: 700, landMs: 8000 });
    await shows('Please look');
    how({ dialog: 'Allow this command?' });
    await shows('Allow');
    how({ dialog: null });
    expect(await going).toMatchObject({ kind: 'submitted', keys: 1 });
    expect([told('eaten'), submitted()]).toEqual([[], [ONE]]);
  });

  it('somebody who types at an attached terminal; one who only looks is no hindrance', async () => {
    await start();
    const attach = (...flags: string[]): void => void tmux('-f', '/dev/null', 'new-session', '-d', '-s', `w${flags.length}`, '-x', '100', '-y', '31', '--', 'env', '-u', 'TMUX', 'tmux', '-u', '-S', file('t.sock'), 'attach-session', ...flags, '-t', `=${SESSION}`);
    attach();
    await until('attached', () => tmux('list-clients', '-t', `=${SESSION}`).trim() !== '', 5000);
    const typist = setInterval(() => tmux('send-keys', '-t', '=w0:', 'x'), 200);
    try {
      await shows('> xxx');
      expect(await send(ONE)).toMatchObject({ kind: 'refused', reason: 'person' });
    } finally {
      clearInterval(typist);
    }
    expect(submitted()).toEqual([]);
    tmux('send-keys', '-t', '=w0:', 'C-u');
    // Quiet by tmux's whole seconds: two of them and a part.
    expect(await send(ONE, {}, { patienceMs: 6000 })).toMatchObject({ kind: 'submitted' });
    expect(submitted()).toEqual([ONE]);
  });
});

describe('programs and panes that end', () => {
  it.each([['paste', 'unconfirmed'], ['enter', 'unconfirmed']])('dies on %s: %s, and the server lives', async (dieOn, kind) => {
    await start({ dieOn });
    expect(await send(ONE)).toMatchObject({ kind, reason: 'dead' });
    expect([await server.state(), submitted()]).toEqual(['up', []]);
  });

  it('a dead pane is refused, and never pasted into', async () => {
    await start();
    execFileSync('kill', ['-9', tmux('display-message', '-p', '-t', `=${SESSION}:`, '#{pane_pid}').trim()]);
    await until('dead', async () => (await send(ONE)).kind === 'refused', 10_000);
    expect(await send(ONE)).toMatchObject({ kind: 'refused', reason: 'dead' });
    expect(await pane.paste('x')).toEqual({ kind: 'dead' });
    expect(await pane.key('Enter')).toEqual({ kind: 'dead' });
    expect([await server.state(), tmux('list-buffers')]).toEqual(['up', '']);
  });

  it('no such session, no such server', async () => {
    await start();
    expect(await deliver({ clock: systemClock, pane: server.pane('pane'), look: fakeLook, proof: fakeProof(() => '', true), lock: paneLock(nodeFiles, linuxProcesses, file('lock2')) }, FAKE_TARGET, ONE)).toMatchObject({ kind: 'refused', reason: 'gone' });
    expect(await server.pane('pane').paste('x')).toEqual({ kind: 'gone' });
    expect(tmux('list-buffers')).toBe('');
    await server.killServer();
    expect(await send(ONE)).toMatchObject({ kind: 'refused', reason: 'gone' });
  });
});

describe('acts on a pane', () => {
  it('a key is sent only where the cursor was seen, and never into copy mode', async () => {
    await start();
    const seen = await pane.observe();
    if (seen.kind !== 'seen') throw new Error(seen.kind);
    const { cursor } = seen.capture;
    expect(await pane.key('x', { x: cursor.x + 1, y: cursor.y })).toEqual({ kind: 'moved' });
    expect(await pane.key('x', cursor)).toEqual({ kind: 'done' });
    expect(await pane.key('hex:7a', undefined)).toEqual({ kind: 'done' });
    await shows('> xz');
    tmux('copy-mode', '-t', `=${SESSION}:`);
    expect(await pane.key('x')).toEqual({ kind: 'in-mode' });
    expect(await pane.paste('x')).toEqual({ kind: 'in-mode' });
    expect(await pane.key("x' ; kill-server ; '")).toMatchObject({ kind: 'unknown' });
    expect(tmux('list-buffers')).toBe('');
  });
});

describe('two writers, two processes', () => {
  it('each text exactly once, intact', async () => {
    await start({ workMs: 40, swallowMs: 40 });
    const writer = (name: string): Promise<{ text: string; receipt: Receipt }[]> =>
      new Promise((resolve, reject) => {
        const texts = Array.from({ length: 6 }, (_, at) => `${name}${at}: ${at % 2 === 0 ? ONE : TEN}`);
        execFile(process.execPath, [path('../rig/deliver-writer.mjs'), DIST, file('t.sock'), SESSION, file('lock'), dir, ...texts], (error, stdout) => (error === null ? resolve(stdout.trim().split('\n').map((line) => JSON.parse(line))) : reject(error)));
      });
    const receipts = (await Promise.all([writer('a'), writer('b')])).flat();
    expect(receipts.map((one) => one.receipt.kind).filter((kind) => kind !== 'submitted' && kind !== 'queued')).toEqual([]);
    await until('all taken', () => submitted().length === 12, 5000);
    expect(submitted().toSorted()).toEqual(receipts.map((one) => one.text).toSorted());
  });

  it('a writer that was killed with its text in the composer: its lock is taken over, its text is not sent as another', async () => {
    await start({ ignoreEnters: 100 });
    const child = spawn(process.execPath, [path('../rig/deliver-writer.mjs'), DIST, file('t.sock'), SESSION, file('lock'), dir, ONE], { stdio: 'ignore' });
    await shows('Please look');
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('close', resolve));
    how({ ignoreEnters: 0 });
    expect(await send('a second text, of another')).toMatchObject({ kind: 'refused', reason: 'draft' });
    expect(await send(ONE)).toMatchObject({ kind: 'submitted' });
    expect(submitted()).toEqual([ONE]);
  });
});
