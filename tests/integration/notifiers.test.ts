import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeFiles } from '../../src/lib/node-files.js';
import { hookTarget } from '../../src/pings/hook-outlet.js';
import { bellFile } from '../../src/pings/outbox.js';
import type { Hook, PingReceipt } from '../../src/pings/state.js';
import { layoutOf, type Layout } from '../../src/protocol/layout.js';
import { TmuxServer } from '../../src/tmux/server.js';
import { read } from './rig.js';
import { until } from '../rig/until.js';

/* What hooks do where nobody looks: real programs, a real tmux with a terminal attached, a real server; the environment is one with keys in it. */

const LONG_MS = 60_000;
const EVIL = '<b>x</b> & "$(touch boom)" \u001b]0;t\u0007 --icon=/etc/passwd';
const EVENT = JSON.stringify({ v: 1, at: 5, kind: 'task-failed', id: 'fix', marker: 'm', attempt: 1, why: EVIL });
const GATHERED = JSON.stringify({ v: 1, at: 5, kind: 'ping-gathered', from: 'hook:x', count: 40, since: 1, until: 5, kinds: 'task-done 39, task-failed 1', text: 'task-done a\ntask-failed b: <i>' });

let root: string;
let layout: Layout;
let rung: { text: string; bell: boolean }[];

beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), 'snakepit-notifiers-'));
  layout = layoutOf(root);
  fs.mkdirSync(layout.pings, { recursive: true });
  fs.mkdirSync(join(root, 'bin'));
  rung = [];
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

async function say(hook: Hook, text: string, env: Readonly<Record<string, string>> = {}): Promise<PingReceipt> {
  const tell = async (line: string, bell: boolean): Promise<number> => rung.push({ text: line, bell });
  const target = hookTarget({ files: nodeFiles, layout, env: { PATH: `${join(root, 'bin')}:/usr/bin:/bin`, HOME: '/home/me', LANG: 'C.UTF-8', OPENAI_API_KEY: 'sk-secret', SNAKEPIT_CLAIM: 'c', ...env }, tell }, 'hook:x', hook);
  if (target.kind !== 'ready') throw new Error(target.why);
  return target.say({ id: 'i', text, guarded: false }, LONG_MS);
}

/** A program of that name which keeps its arguments, one a line between marks, and its environment. */
function fake(name: string): { argv(): string[]; env(): Record<string, string> } {
  const [args, env] = [join(root, 'args'), join(root, 'env')];
  fs.writeFileSync(join(root, 'bin', name), `#!/bin/sh\nfor one in "$@"; do printf '%s\\0' "$one"; done > '${args}'\nenv -0 > '${env}'\n`, { mode: 0o700 });
  return {
    argv: () => fs.readFileSync(args, 'utf8').split('\0').slice(0, -1),
    env: () => Object.fromEntries(fs.readFileSync(env, 'utf8').split('\0').filter((line) => line.includes('=')).map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)])),
  };
}

describe('desktop', () => {
  it('notify-send gets words, no markup, no option, no control character', async () => {
    const program = fake('notify-send');
    expect(await say({ kind: 'desktop', timeoutMs: LONG_MS }, EVENT, { DISPLAY: ':0' })).toMatchObject({ kind: 'told' });
    expect(program.argv()).toEqual(['--app-name=snakepit', '--', 'snakepit', 'task-failed fix: &lt;b&gt;x&lt;/b&gt; &amp; "$(touch boom)" ·]0;t· --icon=/etc/passwd']);
    const env = program.env();
    expect([env['DISPLAY'], env['HOME'], env['OPENAI_API_KEY'], fs.existsSync(join(root, 'boom'))]).toEqual([':0', '/home/me', undefined, false]);
  });

  it('osascript gets the text as an argument, and many as one', async () => {
    const program = fake('osascript');
    // Only here, since a machine with a desktop has a notify-send of its own.
    expect(await say({ kind: 'desktop', timeoutMs: LONG_MS }, GATHERED, { PATH: `${join(root, 'bin')}` })).toMatchObject({ kind: 'refused' });
    fs.symlinkSync('/usr/bin/env', join(root, 'bin', 'env'));
    fs.symlinkSync('/bin/sh', join(root, 'bin', 'sh'));
    expect(await say({ kind: 'desktop', timeoutMs: LONG_MS }, GATHERED, { PATH: `${join(root, 'bin')}` })).toMatchObject({ kind: 'told' });
    expect(program.argv().slice(-2)).toEqual(['snakepit: 40 events', ' task-done 39, task-failed 1\nthe last 2:\ntask-done a\ntask-failed b: <i>']);
  });

  it('neither is there: refused for good, with what to do', async () => {
    expect(await say({ kind: 'desktop', timeoutMs: LONG_MS }, EVENT, { PATH: '/nowhere' })).toMatchObject({ kind: 'refused', final: true, rule: 'neither notify-send nor osascript is on the PATH of the pit' });
  });
});

it('a command sees PATH, HOME, LANG, SNAKEPIT_DIR, SNAKEPIT_HOOK, settings by variable and what env: names; no key', async () => {
  const program = fake('tell');
  expect(await say({ kind: 'run', argv: ['tell', 'a b'], env: ['CHAT_TOKEN', 'NOT_SET'], timeoutMs: LONG_MS }, EVENT, { CHAT_TOKEN: 't', SNAKEPIT_CONFIG_TICK: '2s' })).toMatchObject({ kind: 'told' });
  const { PWD: _pwd, OLDPWD: _old, SHLVL: _level, _: _last, ...env } = program.env();
  expect(env).toEqual({ PATH: `${join(root, 'bin')}:/usr/bin:/bin`, HOME: '/home/me', LANG: 'C.UTF-8', SNAKEPIT_DIR: root, SNAKEPIT_HOOK: 'x', SNAKEPIT_CONFIG_TICK: '2s', CHAT_TOKEN: 't' });
  expect(program.argv()).toEqual(['a b']);
});

it('bell: one line, rung, and the file that top looks at', async () => {
  expect(await say({ kind: 'bell', timeoutMs: LONG_MS }, EVENT)).toMatchObject({ kind: 'told', evidence: '1 attached terminal' });
  expect(rung).toEqual([{ bell: true, text: 'snakepit: task-failed fix: <b>x</b> & "$(touch boom)" ·]0;t· --icon=/etc/passwd' }]);
  expect(read(bellFile(layout))).toBe(`${rung[0]?.text}\n`);
});

it('tmux rings at the terminal that is attached, and no pane hears it', { timeout: LONG_MS * 2 }, async () => {
  const server = new TmuxServer(layout.tmuxSocket, layout.tmuxConfig);
  const seen = join(root, 'seen');
  const outer = (...args: string[]): string => execFileSync('tmux', ['-S', join(root, 'outer.sock'), '-f', '/dev/null', ...args], { encoding: 'utf8' });
  try {
    await server.found(nodeFiles);
    expect(await server.launch({ session: 'one', env: {}, argv: ['sleep', '600'], recording: join(root, 'recording'), size: { columns: 80, rows: 24 } })).toEqual({ kind: 'launched' });
    outer('new-session', '-d', '-s', 'w', '-x', '100', '-y', '30', '--', 'env', '-u', 'TMUX', ...server.attachArgv('one', false));
    outer('pipe-pane', '-O', '-t', 'w', `cat >> '${seen}'`);
    await until('it is attached', async () => (await server.tell('hello', false)) === 1, LONG_MS);
    expect(read(seen)).not.toContain('\u0007');
    await until('it rings', async () => (await server.tell('hello', true)) === 1 && read(seen).includes('\u0007'), LONG_MS);
    expect(fs.existsSync(join(root, 'recording')) ? read(join(root, 'recording')) : '').not.toContain('\u0007');
  } finally {
    // The outer one first: with the inner one it would end by itself.
    outer('kill-server');
    await server.killServer();
  }
});

it('post as text is what ntfy takes: a title, lines of text', async () => {
  const got: { body: string; headers: IncomingHttpHeaders }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      got.push({ body, headers: request.headers });
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const hook: Hook = { kind: 'post', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/topic`, as: 'text', timeoutMs: LONG_MS };
    for (const event of [EVENT, GATHERED]) expect(await say(hook, event)).toMatchObject({ kind: 'told' });
    expect(got.map(({ body, headers }) => [headers['title'], headers['content-type'], body.split('\n')[0]])).toEqual([
      ['snakepit', 'text/plain; charset=utf-8', 'task-failed fix: <b>x</b> & "$(touch boom)" ·]0;t· --icon=/etc/passwd'],
      ['snakepit: 40 events', 'text/plain; charset=utf-8', 'task-done 39, task-failed 1'],
    ]);
  } finally {
    server.close();
  }
});
