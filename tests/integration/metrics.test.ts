import * as fs from 'node:fs';
import { createServer, request } from 'node:http';
import { createServer as createSocket, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { serveMetrics } from '../../src/metrics/server.js';
import { writePromFile } from '../../src/metrics/prom-file.js';
import { parsePrometheus, valueOf } from '../rig/prometheus.js';
import { QUICK } from '../rig/pit.js';
import { call, hasEnded, killPit, read, sh, withPit } from './rig.js';

/* One real pit through its life, its port and its file read by a strict reader; and the server alone. */

const LONG_MS = 120_000;

/** A port that nobody had a moment ago. */
async function freePort(): Promise<number> {
  const socket = createSocket();
  await new Promise<void>((resolve) => socket.listen(0, '127.0.0.1', resolve));
  const { port } = socket.address() as AddressInfo;
  await new Promise((resolve) => socket.close(resolve));
  return port;
}

function ask(port: number, options: { path?: string; method?: string; host?: string }): Promise<{ status: number; body: string; type: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path: options.path ?? '/metrics', method: options.method ?? 'GET', headers: { host: options.host ?? `127.0.0.1:${port}` }, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body, type: response.headers['content-type'] ?? '' }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

describe('the server', () => {
  it('answers GET /metrics of this machine and nothing else', async () => {
    const server = await serveMetrics(0, async () => 'x 1\n');
    try {
      const { port } = server;
      expect(await ask(port, {})).toEqual({ status: 200, body: 'x 1\n', type: 'text/plain; version=0.0.4; charset=utf-8' });
      for (const [options, status] of [[{ path: '/' }, 404], [{ path: '/metrics/../x' }, 404], [{ method: 'POST' }, 405], [{ host: 'evil.example' }, 403], [{ host: `evil.example:${port}` }, 403], [{ host: 'localhost' }, 200], [{ path: '/metrics?x=1', method: 'HEAD' }, 200]] as const) expect([options, (await ask(port, options)).status]).toEqual([options, status]);
    } finally {
      server.close();
    }
  });

  it('says why it cannot gather, and a port that is taken is refused', async () => {
    const server = await serveMetrics(0, () => Promise.reject(new Error('no')));
    try {
      expect((await ask(server.port, {})).status).toBe(500);
      await expect(serveMetrics(server.port, async () => '')).rejects.toThrow(/EADDRINUSE/);
    } finally {
      server.close();
    }
  });
});

it('a pit writes its file and serves its port; counters stand over kill -9; down says that it is down', { timeout: LONG_MS * 4 }, () =>
  withPit({}, async (pit) => {
    const port = await freePort();
    const file = join(pit.root, 'out', 'pit.prom');
    fs.mkdirSync(join(pit.root, 'out'));
    fs.writeFileSync(pit.layout.configFile, `${[...QUICK, `metrics: {file: out/pit.prom, port: ${port}, every: 200ms}`].join('\n')}\n`);
    expect(await pit.ok('doctor')).toContain(`http://127.0.0.1:${port}/metrics`);
    await pit.up(1);
    await call(pit, ['add', '--id', 'well', '-'], { input: sh('true') });
    await call(pit, ['add', '--id', 'ill', '-'], { input: `---\nattempts: 1\n---\n${sh('exit 3')}` });
    for (const id of ['well', 'ill']) await pit.until(`${id} has ended`, () => hasEnded(pit, id === 'well' ? 'done' : 'failed', id), LONG_MS);
    const counters = (text: string): Record<string, number | undefined> => ({
      attempts: valueOf(text, 'snakepit_attempts_total'), failures: valueOf(text, 'snakepit_attempt_failures_total'), done: valueOf(text, 'snakepit_tasks_ended_total', { state: 'done' }), failed: valueOf(text, 'snakepit_tasks_ended_total', { state: 'failed' }),
    });
    const all = { attempts: 2, failures: 1, done: 1, failed: 1 };
    await pit.until('the file has counted them', () => fs.existsSync(file) && JSON.stringify(counters(read(file))) === JSON.stringify(all), LONG_MS);
    await pit.until('it serves', async () => (await ask(port, {}).catch(() => undefined))?.status === 200, LONG_MS);
    const { body } = await ask(port, {});
    expect([valueOf(body, 'snakepit_pit_up'), valueOf(body, 'snakepit_tasks', { state: 'done' }), valueOf(body, 'snakepit_snakes_wanted')]).toEqual([1, 1, 1]);
    expect([fs.statSync(file).mode & 0o777, fs.readdirSync(join(pit.root, 'out'))]).toEqual([0o644, ['pit.prom']]);
    expect(await pit.ok('doctor')).toContain(`http://127.0.0.1:${port}/metrics`);

    await killPit(pit);
    expect(counters(await pit.ok('metrics'))).toEqual(all);
    await pit.up(1);
    await pit.until('it serves again', async () => (await ask(port, {}).catch(() => undefined))?.status === 200, LONG_MS);
    expect(counters((await ask(port, {})).body)).toEqual(all);

    // An edit that takes both away: the port is let go, the file removed.
    fs.writeFileSync(pit.layout.configFile, `${QUICK.join('\n')}\n`);
    await pit.until('nothing listens', async () => (await ask(port, {}).catch(() => undefined)) === undefined, LONG_MS);
    await pit.until('the file is gone', () => !fs.existsSync(file), LONG_MS);

    // A port that somebody else has, and a directory that is not there: told, with the line, and the rest goes on.
    const other = createServer((_request, response) => response.end('not ours'));
    await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
    try {
      fs.writeFileSync(pit.layout.configFile, `${[...QUICK, 'metrics:', '  file: nowhere/pit.prom', `  port: ${port}`, '  every: 200ms'].join('\n')}\n`);
      const line = QUICK.length + 2;
      const told = await pit.ok('doctor');
      expect(told).toContain(`snakepit.yaml:${line}: ${join(fs.realpathSync(pit.root), 'nowhere')} is no directory that you may write`);
      expect(told).toContain(`snakepit.yaml:${line + 1}: ${port} of 127.0.0.1 is somebody else's`);
      fs.mkdirSync(join(pit.root, 'nowhere'));
      await pit.until('the file is written all the same', () => fs.existsSync(join(pit.root, 'nowhere', 'pit.prom')), LONG_MS);
    } finally {
      await new Promise((resolve) => other.close(resolve));
    }
    await pit.until('it takes the port once it is free', async () => (await ask(port, {}).catch(() => undefined))?.body.includes('snakepit_pit_up 1') === true, LONG_MS);
    await pit.ok('down', '--now');
    const last = read(join(pit.root, 'nowhere', 'pit.prom'));
    expect([valueOf(last, 'snakepit_pit_up'), valueOf(last, 'snakepit_attempts_total'), parsePrometheus(last).length > 40]).toEqual([0, 2, true]);
    expect(await ask(port, {}).catch(() => 'nobody')).toBe('nobody');
  }));

it('half a file is never seen, and what a killed writer left is no hindrance', () => {
  const dir = fs.mkdtempSync('/tmp/snakepit-prom-');
  try {
    const file = join(dir, 'a.prom');
    fs.writeFileSync(join(dir, '.a.prom.new'), 'half');
    writePromFile(file, 'x 1\n');
    expect([read(file), fs.readdirSync(dir)]).toEqual(['x 1\n', ['a.prom']]);
    // A link that somebody put there is replaced, not followed.
    fs.symlinkSync('/etc/hostname', join(dir, '.a.prom.new'));
    writePromFile(file, 'x 2\n');
    expect([read(file), fs.readdirSync(dir)]).toEqual(['x 2\n', ['a.prom']]);
    expect(() => writePromFile(join(dir, 'none', 'a.prom'), 'x')).toThrow(/ENOENT/);
  } finally {
    fs.rmSync(dir, { recursive: true });
  }
});
