import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HOOK_DATA_BYTES, hookScript } from '../../src/agents/hook-script.js';

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

/** `input`: a text on standard input, or 'open': a pipe that nobody writes to or closes. */
function run(script: string, args: readonly string[], input: string | Buffer | 'open' | 'nothing', env: Record<string, string> = {}, shell = 'sh'): Promise<Ran> {
  return new Promise((resolve) => {
    const started = process.hrtime.bigint();
    const child = spawn(shell, [script, ...args], { stdio: [input === 'nothing' ? 'ignore' : 'pipe', 'pipe', 'pipe'], env: { PATH: process.env['PATH'] ?? '', ...env } });
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (data: Buffer) => (stdout += data.toString()));
    child.stderr?.on('data', (data: Buffer) => (stderr += data.toString()));
    child.stdin?.on('error', () => (stderr += 'EPIPE'));
    if (input !== 'open' && input !== 'nothing') child.stdin?.end(input);
    child.on('close', (code) => {
      child.stdin?.destroy();
      resolve({ code, stdout, stderr, ms: Number(process.hrtime.bigint() - started) / 1e6 });
    });
  });
}

const QUIET = { code: 0, stdout: '', stderr: '' };

describe.each(['sh', 'bash'])('the hook script, by %s', (shell) => {
  let dir: string;
  let script: string;
  let events: string;
  const lines = (): unknown[] => fs.readFileSync(events, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as unknown);
  const one = async (args: readonly string[], input: string | Buffer | 'open' | 'nothing'): Promise<unknown> => {
    fs.rmSync(events, { force: true });
    expect(await run(script, args, input, {}, shell)).toMatchObject(QUIET);
    expect(lines()).toHaveLength(1);
    return lines()[0];
  };
  beforeAll(() => {
    dir = fs.mkdtempSync(join(tmpdir(), "hook it's $HOME "));
    script = join(dir, 'hook.sh');
    events = join(dir, 'events.jsonl');
    fs.writeFileSync(script, hookScript(events));
  });
  afterAll(() => fs.rmSync(dir, { recursive: true, force: true }));

  it('writes one line: when, which, what', async () => {
    const data = { a: 1, text: 'q"uo\\te\n\u2028 ż 🐍 $HOME `x` %s \\n', deep: { list: [null, true] } };
    const before = Date.now();
    const line = (await one(['Stop'], JSON.stringify(data, null, 2))) as { at: number };
    expect(line).toEqual({ at: expect.any(Number), hook: 'Stop', data });
    expect(Math.abs(line.at - before)).toBeLessThan(5000);
  });
  it('takes the last argument for the data when there are several', async () => {
    expect(await one(['notify', 'extra', '{"type":"x","n":1}'], 'open')).toMatchObject({ hook: 'notify', data: { type: 'x', n: 1 } });
  });
  it('lives with every standard input', async () => {
    expect(await one(['a'], 'nothing')).toMatchObject({ hook: 'a', data: null });
    expect(await one(['b'], '')).toMatchObject({ data: null });
    expect(await one(['c'], 'not "json" \\ at\nall')).toMatchObject({ data: 'not "json" \\ atall' });
    expect(await one(['d'], '[1]')).toMatchObject({ data: '[1]' });
    expect(await one(['e'], Buffer.from([0x7b, 0x00, 0x22, 0x61, 0x22, 0x3a, 0x31, 0x7d]))).toMatchObject({ data: { a: 1 } });
    expect(await one([], '{}')).toMatchObject({ hook: 'unknown', data: {} });
    expect(await one(['x"y'], '{}')).toMatchObject({ hook: 'unknown' });
  });
  it('waits for no input that never comes', async () => {
    fs.rmSync(events, { force: true });
    const ran = await run(script, ['hang'], 'open', {}, shell);
    expect(ran).toMatchObject(QUIET);
    expect(ran.ms).toBeLessThan(15_000);
    expect(lines()).toMatchObject([{ hook: 'hang', data: null }]);
  });
  it('keeps 64 KiB whole, and of more only that it came', async () => {
    const most = JSON.stringify({ x: 'y'.repeat(HOOK_DATA_BYTES - 8) });
    expect(most).toHaveLength(HOOK_DATA_BYTES);
    expect(await one(['most'], most)).toMatchObject({ data: JSON.parse(most) });
    expect(await one(['big'], `${most} `)).toMatchObject({ hook: 'big', data: null, cut: true });
    expect(await one(['huge'], JSON.stringify({ x: 'ż'.repeat(2_000_000) }))).toMatchObject({ hook: 'huge', data: null, cut: true });
  });
  it('ends with 0 and without a word where it cannot write', async () => {
    const env = (SNAKEPIT_EVENTS: string): Record<string, string> => ({ SNAKEPIT_EVENTS });
    expect(await run(script, ['f'], '{}', env('/dev/full'), shell)).toMatchObject(QUIET);
    expect(await run(script, ['f'], '{}', env(join(dir, 'no', 'such', 'dir')), shell)).toMatchObject(QUIET);
    expect(await run(script, ['f'], '{}', env(dir), shell)).toMatchObject(QUIET);
    const bare = join(dir, 'bare.sh');
    fs.writeFileSync(bare, hookScript());
    expect(await run(bare, ['f'], '{}', {}, shell)).toMatchObject(QUIET);
    expect((await run('-c', [`sh ${JSON.stringify(script).replaceAll('$', '\\$')} closed <&- >&- 2>&-`], 'nothing', env(events), shell)).code).toBe(0);
  });
  it('prefers the file that the environment names', async () => {
    const other = join(dir, 'other.jsonl');
    await run(script, ['g'], '{}', { SNAKEPIT_EVENTS: other }, shell);
    expect(JSON.parse(fs.readFileSync(other, 'utf8'))).toMatchObject({ hook: 'g' });
  });
  it.each([10, 3000, 60_000])('50 at once, of %i bytes each: 50 whole lines', async (size) => {
    fs.rmSync(events, { force: true });
    const ran = await Promise.all(Array.from({ length: 50 }, (_none, index) => run(script, [`H${index}`], JSON.stringify({ index, pad: 'p'.repeat(size) }), {}, shell)));
    for (const one_ of ran) expect(one_).toMatchObject(QUIET);
    const seen = lines() as { hook: string; data: { index: number } }[];
    expect(seen).toHaveLength(50);
    expect(seen.map((line) => line.hook).sort()).toEqual(Array.from({ length: 50 }, (_none, index) => `H${index}`).sort());
    for (const line of seen) expect(line.hook).toBe(`H${line.data.index}`);
  });
});

describe('planted faults in the hook script', () => {
  let dir: string;
  beforeAll(() => (dir = fs.mkdtempSync(join(tmpdir(), 'hook-mutant-'))));
  afterAll(() => fs.rmSync(dir, { recursive: true, force: true }));

  const mutant = (find: string, replace: string): string => {
    const text = hookScript();
    if (text.split(find).length !== 2) throw new Error(`not once in the script: ${find}`);
    const file = join(dir, `${Math.random()}.sh`);
    fs.writeFileSync(file, text.replace(find, () => replace));
    return file;
  };
  it('without dd, lines of concurrent hooks mix, or are written in pieces', async () => {
    const events = join(dir, 'mixed');
    const script = mutant('| dd obs=1048576 >> "$file"', '| while IFS= read -r part; do printf %s "${part%????????}"; sleep 0.01; printf "%s\\n" "}"; done >> "$file"');
    await Promise.all(Array.from({ length: 20 }, (_none, index) => run(script, [`H${index}`], '{"a":"bbbbbbbbbbbb"}', { SNAKEPIT_EVENTS: events })));
    const whole = fs.readFileSync(events, 'utf8').trimEnd().split('\n').filter((line) => /^\{"at":\d+,"hook":"H\d+","data":\{"a":"b{12}"\}\}$/.test(line));
    expect(whole.length).toBeLessThan(20);
  });
  it.each([['exec >/dev/null 2>&1', ':'], ["sed 's/[\\\\\"]/\\\\&/g'", 'cat'], ["tr -d '\\000-\\037'", 'cat'], ['\nexit 0\n', '\n[ -n "$file" ]\n'], ['data=null cut=', 'cut=']])('%s → %s', async (find, replace) => {
    const events = join(dir, `events-${Math.random()}`);
    const script = mutant(find, replace);
    const outcomes = await Promise.all([
      run(script, ['a'], 'a "b" \\', { SNAKEPIT_EVENTS: events }),
      run(script, ['b'], '{\n"a":1}', { SNAKEPIT_EVENTS: events }),
      run(script, ['c'], JSON.stringify({ x: 'y'.repeat(HOOK_DATA_BYTES) }), { SNAKEPIT_EVENTS: events }),
      run(script, ['d'], '{}'),
    ]);
    const good = (): boolean => {
      const seen = fs.readFileSync(events, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as { data: unknown });
      return seen.length === 3 && seen.some(({ data }) => data === null) && outcomes.every(({ code, stdout, stderr }) => code === 0 && stdout === '' && stderr === '');
    };
    let right = false;
    try {
      right = good();
    } catch {
      // A line that is no JSON.
    }
    expect(right).toBe(false);
  });
});
