import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { withPit } from '../integration/rig.js';

const EXAMPLE = fileURLToPath(new URL('../../examples/residents/', import.meta.url));
const CONFIG = readFileSync(join(EXAMPLE, 'snakepit.yaml'), 'utf8');

/** What the server says; undefined while there is none. */
const ask = (socketPath: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    const asked = get({ socketPath, path: '/' }, (answer) => answer.on('data', (part: Buffer) => resolve(part.toString('utf8'))));
    asked.on('error', () => resolve(undefined));
  });

describe('the example of residents', () => {
  it('runs: the service answers, and is back after it was killed; the janitor has looked', () =>
    withPit({}, async (pit) => {
      cpSync(EXAMPLE, pit.root, { recursive: true });
      const [tick, every] = ['tick: 100ms', CONFIG.replace('every: 1h', 'every: 2s')];
      expect(every).not.toBe(CONFIG);
      writeFileSync(pit.layout.configFile, `${tick}\n${every}`);
      await pit.up(1);
      pit.dropTask('a.md', '---\nattempts: 1\n---\n```sh\nexit 1\n```\n');
      await pit.until('the service answers', async () => (await ask(join(pit.root, 'web.sock'))) === 'up\n');
      await pit.until('the janitor has written down what failed', () => existsSync(join(pit.root, 'attention.txt')) && /(?:^|\s)a(?:\s|$)/m.test(readFileSync(join(pit.root, 'attention.txt'), 'utf8')));
      const server = pit.processes().find(({ command }) => command.startsWith('node ') && command.includes('server.mjs'));
      if (server === undefined) throw new Error('no server');
      await pit.kill(server.process);
      await pit.until('another one answers', async () => pit.processes().some(({ process: one, command }) => command.startsWith('node ') && command.includes('server.mjs') && one.pid !== server.process.pid) && (await ask(join(pit.root, 'web.sock'))) === 'up\n');
    }));

  it('with its overseer it is a configuration that loads', () =>
    withPit({}, async (pit) => {
      cpSync(EXAMPLE, pit.root, { recursive: true });
      const whole = CONFIG.replace(/^#(?= {2})/gm, '');
      writeFileSync(pit.layout.configFile, whole);
      expect(await pit.ok('config')).toContain('"overseer":{"agent":"claude:sonnet"');
      expect(existsSync(join(pit.root, 'overseer.md'))).toBe(true);
    }));
});
