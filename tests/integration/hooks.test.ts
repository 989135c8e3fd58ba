import * as fs from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../src/config/load.js';
import { resolveHooks } from '../../src/pings/hooks.js';
import { QUICK, type Pit } from '../rig/pit.js';
import { call, killPit, read, sh, withPit } from './rig.js';

/* Real pits, real commands, a real server on the loopback; the pit is killed while a command runs. */

const LONG_MS = 120_000;
const config = (hooks: readonly object[]): readonly string[] => [...QUICK, `hooks: ${JSON.stringify(hooks)}`];
const linesOf = (file: string): Record<string, unknown>[] => read(file).split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Record<string, unknown>);

async function setHooks(pit: Pit, hooks: readonly object[]): Promise<void> {
  fs.writeFileSync(pit.layout.configFile, `${config(hooks).join('\n')}\n`);
  await Promise.resolve();
}

/** A server that answers as it is told to, and keeps what it got. */
async function serve(statuses: readonly number[]): Promise<{ url: string; got: { body: string; type: string }[]; server: Server }> {
  const got: { body: string; type: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      got.push({ body, type: request.headers['content-type'] ?? '' });
      response.writeHead(statuses[got.length - 1] ?? 200).end('x'.repeat(100_000));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/topic`, got, server };
}

describe('hooks', () => {
  it.each<[string, string, RegExp]>([
    ['all is well', 'run: [echo, hi]', /^ok$/],
    ['neither of the two', 'as: json', /^f:2: hooks\.0: has not exactly one of run, post, desktop and bell$/],
    ['both', 'run: [a]\n    post: https://example.org', /has not exactly one of run, post, desktop and bell$/],
    ['no web address', 'post: example.org', /^f:4: hooks\.0\.post: is not a web address/],
    ['a slip of the pen', 'rum: [a]', /unknown key; did you mean hooks\.0\.run\?$/],
    ['no duration', 'run: [a]\n    timeout: soon', /^f:5: hooks\.0\.timeout: is not a duration/],
  ])('the configuration: %s', (_name, yaml, wanted) => expect(judged(`hooks:\n  - name: one\n    on: [task-done]\n    ${yaml}\n`)).toMatch(wanted));

  it.each<[string, RegExp]>([
    ['[task-doen]', /^f:3: hooks\.0\.on: no event is of the kind task-doen; did you mean task-done\?$/],
    ['[ping-dropped]', /would go round for ever/],
    ["['*']", /^ok$/],
  ])('the configuration: on: %s', (on, wanted) => expect(judged(`hooks:\n  - name: one\n    on: ${on}\n    run: [a]\n`)).toMatch(wanted));

  it('a command gets each event once, whole, on its standard input, and no shell sees it', { timeout: LONG_MS * 3 }, () =>
    withPit({}, async (pit) => {
      const [heard, boom] = [pit.beside('heard'), join(pit.root, 'boom')];
      await setHooks(pit, [{ name: 'tell', on: ['task-done', 'task-failed', 'task-refused'], run: ['/bin/sh', '-c', 'cat >> "$1"; printf "%s\\n" "$SNAKEPIT_DIR" > "$1.dir"', 'sh', heard] }]);
      await pit.up(1);
      await pit.until('the hook has begun to listen', () => fs.existsSync(join(pit.layout.pings, 'cursors', 'hook:tell.json')), LONG_MS);
      await call(pit, ['add', '--id', 'well', '-'], { input: sh('true') });
      pit.dropTask('$(touch boom);`touch boom`.md', '---\ntimeout: soon\n---\nx\n');
      await pit.until('both were told', () => linesOf(heard).length >= 2, LONG_MS);
      await pit.until('nothing waits', () => fs.readdirSync(join(pit.layout.pings, 'outbox')).length === 0, LONG_MS);
      const told = linesOf(heard);
      expect(told.map((one) => one['kind']).sort()).toEqual(['task-done', 'task-refused']);
      for (const one of told) expect(pit.events()).toContainEqual(one);
      expect([read(`${heard}.dir`).trim(), fs.existsSync(boom)]).toEqual([fs.realpathSync(pit.root), false]);
      expect(read(join(pit.layout.log, 'hooks', 'tell.log'))).toContain('ended with 0');
    }));

  it('a pit that is killed while its command runs: the next one calls it again with that event', { timeout: LONG_MS * 3 }, () =>
    withPit({}, async (pit) => {
      const [heard, go] = [pit.beside('heard'), pit.beside('go')];
      await setHooks(pit, [{ name: 'slow', on: ['task-held'], run: ['/bin/sh', '-c', 'cat >> "$1"; while [ ! -e "$2" ]; do sleep 0.1; done', 'sh', heard, go], timeout: '90s' }]);
      await pit.up(0);
      await pit.until('the hook has begun to listen', () => fs.existsSync(join(pit.layout.pings, 'cursors', 'hook:slow.json')), LONG_MS);
      await call(pit, ['add', '--id', 'a', '-'], { input: sh('true') });
      await pit.ok('hold', 'a');
      await pit.until('it is called', () => linesOf(heard).length === 1, LONG_MS);
      await killPit(pit);
      await pit.up(0);
      await pit.until('it is called again', () => linesOf(heard).length === 2, LONG_MS);
      fs.writeFileSync(go, '');
      await pit.until('it is told', () => pit.events().some((event) => event.kind === 'ping-delivered' && event.to === 'hook:slow' && event.receipt === 'told'), LONG_MS);
      expect(linesOf(heard).map((one) => [one['kind'], one['id']])).toEqual([['task-held', 'a'], ['task-held', 'a']]);
    }));

  it('a server is asked again after 503, never after 404, and notify --test says how it is', { timeout: LONG_MS * 3 }, () =>
    withPit({}, async (pit) => {
      const { url, got, server } = await serve([503, 200, 404, 200]);
      try {
        await setHooks(pit, [{ name: 'web', on: ['queue-*'], post: url }, { name: 'bad', on: ['task-stuck'], run: ['/nowhere/at/all'] }, { name: 'late', on: ['task-stuck'], run: ['sleep', '60'], timeout: '200ms' }]);
        await pit.up(0);
        await pit.until('the hook has begun to listen', () => fs.existsSync(join(pit.layout.pings, 'cursors', 'hook:web.json')), LONG_MS);
        await pit.ok('pause');
        await pit.until('it was asked twice', () => got.length === 2, LONG_MS);
        await pit.ok('resume');
        const receipts = (): unknown[] => pit.events().flatMap((event) => (event.kind === 'ping-delivered' ? [[event.receipt, event.rule]] : []));
        await pit.until('the outbox is empty', () => receipts().length === 3 && fs.readdirSync(join(pit.layout.pings, 'outbox')).length === 0, LONG_MS);
        expect(receipts()).toEqual([['refused', 'the server answered 503'], ['told', 'the server answered 200'], ['refused', 'the server answered 404']]);
        expect(got.map(({ body, type }) => [(JSON.parse(body) as { kind: string }).kind, type])).toEqual([['queue-paused', 'application/json'], ['queue-paused', 'application/json'], ['queue-resumed', 'application/json']]);
        expect(await pit.ok('notify', '--test', 'web')).toContain('told: the server answered 200');
        const all = await pit.cli('notify', '--test', 'bad', 'late', '--json');
        expect([all.code, (JSON.parse(all.stdout) as { hooks: { hook: string; receipt: { kind: string } }[] }).hooks.map(({ hook, receipt }) => [hook, receipt.kind])]).toEqual([1, [['bad', 'refused'], ['late', 'refused']]]);
        expect((await pit.cli('notify', '--test', 'nobody')).code).toBe(66);
      } finally {
        server.close();
      }
    }));
});

function judged(text: string): string {
  const parsed = resolveConfig('f', text, {});
  const hooks = parsed.ok ? resolveHooks('f', text, parsed.value) : parsed;
  return hooks.ok ? 'ok' : `${hooks.error.where}: ${hooks.error.problem}`;
}
