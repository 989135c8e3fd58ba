import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

/* examples/workflows as a person runs it: one task for each built-in workflow, by agents that are scripts, in real sessions. */

const EXAMPLE = fileURLToPath(new URL('../../examples/workflows/', import.meta.url));
const top = fs.mkdtempSync(join(tmpdir(), 'snakepit-example-flows-'));
afterAll(() => fs.rmSync(top, { recursive: true, force: true }));

const run = (pit: string): Promise<{ code: number; output: string }> =>
  new Promise((resolve) => {
    const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', HOME: join(top, 'home'), LANG: 'C.UTF-8', EXAMPLE_TIMEOUT: '5m' };
    execFile('sh', [join(EXAMPLE, 'run.sh'), pit], { env, cwd: top, timeout: 400_000, killSignal: 'SIGTERM', maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 137, output: `${stdout}${stderr}` }));
  });

describe('the example of the workflows', { timeout: 420_000 }, () => {
  it('has a task for each that comes along; every one is done, its slip found by somebody else and mended, and nothing is left', async () => {
    const pit = join(fs.mkdtempSync(join(top, 'go-')), "a pit's place");
    const { code, output } = await run(pit);
    expect(code, output).toBe(0);
    const ids = fs.readdirSync(fileURLToPath(new URL('../../workflows/', import.meta.url))).map((name) => name.replace(/\.yaml$/, '')).sort();
    expect(fs.readdirSync(join(EXAMPLE, 'tasks')).map((name) => name.replace(/\.md$/, '')).sort()).toEqual(ids);
    const tasks = fs.readdirSync(join(pit, 'queue', 'done')).filter((name) => name.endsWith('.md') && !name.endsWith('.result.md')).map((name) => name.replace(/\.md$/, '')).sort();
    expect(tasks).toEqual([...ids, 'plan-and-split-north', 'plan-and-split-south'].sort());
    for (const id of ids.filter((one) => one !== 'solo')) expect(fs.readFileSync(join(pit, 'queue', 'done', `${id}.result.md`), 'utf8'), id).toMatch(/\(critic, [^)]*\): REJECT; it says: there is a slip[^]*\(critic, [^)]*\): PASS/);
    expect(output).toContain('the pit is down; no snake, no session and no process of it is left');
  });
});
