import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { openContext, type Context } from '../../src/cli/context.js';
import { sessionLog } from '../../src/cli/session-log.js';
import type { AttemptRecord } from '../../src/protocol/records.js';
import { profileOf, recording } from '../corpus/recordings.js';

/* Where the words of a session come from, and whose they are. */

const top = fs.mkdtempSync(join(tmpdir(), 'session-log-'));
afterAll(() => fs.rmSync(top, { recursive: true, force: true }));

let context: Context;
let root: string;
beforeEach(() => {
  root = fs.mkdtempSync(join(top, 'pit-'));
  fs.mkdirSync(join(root, '.snakepit'));
  context = openContext(root);
  fs.writeFileSync(context.layout.agents, JSON.stringify({ opencode: profileOf('opencode'), claude: profileOf('claude') }));
});

const SESSION = '11111111-2222-4333-8444-555555555555';

/** The directory of an attempt, with its record. */
function run(name: string, more: Partial<AttemptRecord>): string {
  const dir = join(context.layout.runs, 'x', name);
  fs.mkdirSync(dir, { recursive: true });
  fs.writeFileSync(join(dir, 'attempt.json'), JSON.stringify({ profile: 'opencode', agent: 'opencode', mode: 'interactive', session: SESSION, home: join(root, 'home'), resumed: false, startedAt: 0, ...more }));
  fs.writeFileSync(join(dir, 'output.log'), '\u001b[2Jthe terminal\n');
  return dir;
}

describe('the log of a session', () => {
  it('a full-screen opencode: its messages, as our plugin writes them, also while it grows', async () => {
    const dir = run('001-aaaaaaaaaa', {});
    const lines = recording('transcripts/opencode-1.18.33-parts.jsonl').trimEnd().split('\n');
    const log = sessionLog(context, dir);
    expect(await log.next(false)).toBeUndefined();
    const until = lines.findIndex((line) => line.includes('"status":"running"')) + 1;
    fs.writeFileSync(join(dir, 'events.jsonl'), `${lines.slice(0, until).join('\n')}\n`);
    expect(await log.next(false)).toMatch(/^\S+Z user\n {2}Read the file [^\n]*\n\S+Z call bash command="printf [^\n]*$/);
    fs.appendFileSync(join(dir, 'events.jsonl'), `${lines.slice(until).join('\n')}\n`);
    expect(await log.next(true)).toMatch(/^\S+Z result bash\n[^]*Z agent\n {2}The file is made\.$/);
  });

  it('one of before the plugin told of messages: its terminal, at its end', async () => {
    const dir = run('001-aaaaaaaaaa', {});
    fs.writeFileSync(join(dir, 'events.jsonl'), recording('transcripts/opencode-1.18.33-hooks.jsonl').split('\n').filter((line) => !line.includes('session.error')).join('\n'));
    const log = sessionLog(context, dir);
    expect(await log.next(false)).toBeUndefined();
    expect(await log.next(true)).toBe('the terminal');
  });

  it('of a session that two attempts went on with each shows its own part', async () => {
    const at = (minute: number): number => Date.UTC(2026, 10, 22, 3, minute);
    const said = (minute: number, text: string): string => JSON.stringify({ type: 'user', uuid: text, sessionId: SESSION, timestamp: new Date(at(minute)).toISOString(), message: { role: 'user', content: text } });
    const project = join(root, 'home', 'projects', 'p');
    fs.mkdirSync(project, { recursive: true });
    fs.writeFileSync(join(project, `${SESSION}.jsonl`), [said(0, 'first'), said(1, 'asks'), said(9, 'answered'), said(10, 'done')].join('\n'));
    const first = run('001-aaaaaaaaaa', { profile: 'claude', startedAt: at(0) });
    const second = run('002-bbbbbbbbbb', { profile: 'claude', startedAt: at(9), resumed: true });
    const words = async (dir: string, until?: number): Promise<string[]> => ((await sessionLog(context, dir, until).next(true)) ?? '').split('\n').filter((line) => line.startsWith('  '));
    expect(await words(first, at(9))).toEqual(['  first', '  asks']);
    expect(await words(second)).toEqual(['  answered', '  done']);
    expect(await words(first)).toHaveLength(4);
  });
});
