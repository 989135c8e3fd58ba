import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { generated } from '../../docs/generated.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const hasMan = spawnSync('man', ['--version']).status === 0;

describe('what is made from the code', () => {
  it('each file is what the code says: else run npm run generate', async () => {
    for (const [file, text] of await generated()) expect([file, fs.readFileSync(`${ROOT}${file}`, 'utf8') === text]).toEqual([file, true]);
  });

  it('the man page tells every command and option that help tells', async () => {
    const page = (await generated()).find(([file]) => file === 'man/snakepit.1')?.[1] ?? '';
    const plain = page.replaceAll('\\-', '-').replaceAll(/\\f[BIR]/g, '');
    const help = execFileSync(process.execPath, [`${ROOT}bin/snakepit.js`, '--help'], { encoding: 'utf8' });
    const commands = [...help.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map((match) => match[1] ?? '').filter((name) => name !== 'help');
    expect(commands.length).toBeGreaterThan(25);
    for (const name of commands) expect(plain).toContain(`\nsnakepit ${name}`);
    for (const word of ['--install-cron', '--snakes <n>', 'snakepit recurring run', 'SNAKEPIT_DIR', 'timed out']) expect(plain).toContain(word);
    // No line of text is taken for a request of roff.
    for (const line of page.split('\n')) if (line.startsWith('.')) expect(line).toMatch(/^\.(\\"|TH |SH |SS|TP|PP)/);
  });

  it.skipIf(!hasMan)('man shows it without a warning', () => {
    const shown = spawnSync('man', ['--warnings', '-E', 'UTF-8', '-l', '-Tutf8', `${ROOT}man/snakepit.1`], { encoding: 'utf8', env: { ...process.env, MANWIDTH: '100', PAGER: 'cat', MANPAGER: 'cat' } });
    expect([shown.status, shown.stderr]).toEqual([0, '']);
  });
});
