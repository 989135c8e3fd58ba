import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { messageLines } from '../../src/agents/message-words.js';
import { MessageReader, type Message } from '../../src/agents/messages.js';
import type { Telling } from '../../src/agents/profile.js';
import { profileOf, recording } from './recordings.js';

/* Recorded sessions as a person reads them: `snakepit logs`. */

type Part = 'headless' | 'transcript' | 'hooks';
const tellings = (agent: string, part: Part): readonly Telling[] => {
  const profile = profileOf(agent);
  return part === 'hooks' ? (profile.hooks?.messages ?? []) : part === 'headless' ? (profile.headless?.messages ?? []) : profile.transcript?.kind === 'jsonl' ? profile.transcript.messages : [];
};
/** Cut anywhere. */
function messages(agent: string, part: Part, text: string, cut = 777): Message[] {
  const reader = new MessageReader(tellings(agent, part));
  const bytes = Buffer.from(text);
  const found: Message[] = [];
  for (let at = 0; at < bytes.length; at += cut) found.push(...reader.push(bytes.subarray(at, at + cut)));
  return [...found, ...reader.end()];
}
const lines = (agent: string, part: Part, file: string): string[] => messages(agent, part, recording(file)).flatMap(messageLines);

describe('recorded sessions, message by message', () => {
  it('claude: its transcript', () => {
    const told = lines('claude', 'transcript', 'transcripts/claude-2.1.329-transcript.jsonl');
    expect(told.slice(0, 5)).toEqual(['2026-11-21T09:30:35Z user', '  e [[bash]]', expect.stringMatching(/^2026-11-21T09:30:\d\dZ call Bash command="echo lab-\$RANDOM > lab-bash.txt && sleep 1 && cat lab-bash.txt"$/), '2026-11-21T09:30:44Z result Bash', '  lab-7956']);
    expect(told).toContain('  The tool finished. Task complete. Done. I received 10 bytes, sha 7437f3e5115a.');
    expect(told.filter((line) => line.endsWith(' note'))).toHaveLength(3);
    expect(told.at(-1)).toBe('  [Request interrupted by user]');
  });
  it('claude: what it prints, with a call that was refused', () => {
    const told = lines('claude', 'headless', 'headless/claude-2.1.329-bash-default.out');
    expect(told[0]).toMatch(/^2026-11-21T09:14:47Z call Bash command="echo/);
    expect(told[1]).toBe('2026-11-21T09:14:47Z result Bash failed');
    expect(told[2]).toBe('  A variable in this command can\'t be checked before it runs');
  });
  it('codex: its rollout, and what it prints', () => {
    expect(lines('codex', 'transcript', 'transcripts/codex-0.169.0-rollout.jsonl').slice(0, 10)).toEqual([
      '2026-11-21T09:39:43Z user', '  e [[esc]]',
      '2026-11-21T09:39:44Z call exec_command cmd="touch /home/dev/works/escalated.txt" sandbox_permissions=require_escalated justification="Do you want to allow the lab command outside the sandbox?"',
      '2026-11-21T09:39:46Z result exec_command', '  Chunk ID: d51926', '  Wall time: 0.0000 seconds', '  Process exited with code 0', '  Original token count: 0', '  Output:',
      '2026-11-21T09:39:46Z agent',
    ]);
    expect(lines('codex', 'headless', 'headless/codex-0.169.0-bash-ws.out').slice(-5)).toEqual([
      '- call command_execution "/bin/bash -lc \'echo lab-$RANDOM > lab-bash.txt && sleep 1 && cat lab-bash.txt\'"', '- result command_execution', '  lab-30631',
      '- agent', '  The tool finished. Task complete. Done. I received 11 bytes, sha e69491c823e0.',
    ]);
  });
  it('gemini: a message that is written twice is told once; pieces become one', () => {
    const told = lines('gemini', 'transcript', 'transcripts/gemini-0.61.0-session.jsonl');
    expect(told.filter((line) => line.includes('call run_shell_command'))).toHaveLength(1);
    expect(told.slice(0, 2)).toEqual(['2026-11-21T09:53:48Z user', '  e [[bash]]']);
    expect(told).toContain('2026-11-21T09:53:48Z result run_shell_command');
    expect(told).toContain('  Output: lab-13324');
    const printed = lines('gemini', 'headless', 'headless/gemini-0.61.0-bash-yolo.out');
    expect(printed.slice(-2)).toEqual(['2026-11-21T09:48:09Z agent', '  The tool finished. Task complete. Done. I received 14 bytes, sha a2e5050a5ba8.']);
    expect(printed.filter((line) => line.endsWith(' agent'))).toHaveLength(1);
  });
  it('pi: its session, and what it prints', () => {
    for (const told of [lines('pi', 'transcript', 'transcripts/pi-0.87.1-session.jsonl'), lines('pi', 'headless', 'headless/pi-0.87.1-bash-json.out')]) {
      expect(told.some((line) => /^2026-11-21T10:0\d:\d\dZ call bash command=/.test(line))).toBe(true);
      expect(told.some((line) => line.endsWith('Z result bash'))).toBe(true);
      expect(told.filter((line) => line.includes('The tool finished.'))).toHaveLength(1);
    }
  });
  it('opencode, kilo and qwen: what they print', () => {
    expect(lines('opencode', 'headless', 'headless/opencode-1.18.33-ok-json.out')).toEqual(['2026-11-21T09:54:43Z agent', '  Done. I received 14 bytes, sha 900f10d1bdc2.']);
    expect(lines('opencode', 'headless', 'headless/opencode-1.18.33-401.out')[1]).toMatch(/^ {2}Incorrect API key provided/);
    expect(lines('kilo', 'headless', 'headless/kilo-7.7.7-bash-auto.out').slice(0, 3)).toEqual([expect.stringMatching(/Z call bash command="echo lab/), expect.stringMatching(/Z result bash$/), '  lab-15992']);
    expect(lines('qwen', 'headless', 'headless/qwen-0.24.4-bash-stream.out').slice(0, 3)).toEqual([expect.stringMatching(/^- call run_shell_command command=/), '- result run_shell_command', '  lab-7626']);
  });
  it.each(['opencode', 'kilo'])('%s in its full screen: what our plugin in it writes', (agent) => {
    expect(lines(agent, 'hooks', 'transcripts/opencode-1.18.33-parts.jsonl')).toEqual([
      '2026-11-22T06:45:14Z user', '  Read the file /home/dev/works/.snakepit/runs/a/001-wqn3mwfxhg/prompt.md and do what it says.',
      '2026-11-22T06:45:22Z call bash command="printf made > made.txt; cat nothing; echo out"', '2026-11-22T06:45:23Z result bash', '  out', '  cat: nothing: No such file or directory',
      '2026-11-22T06:45:23Z call bash command="\\"$SNAKEPIT_COMMAND\\" done \\"made it\\""', '2026-11-22T06:45:23Z result bash', '  (no output)',
      '2026-11-22T06:45:24Z agent', '  The file is made.',
    ]);
    expect(lines(agent, 'hooks', `transcripts/${agent === 'kilo' ? 'kilo-7.7.7' : 'opencode-1.18.33'}-hooks.jsonl`).filter((line) => !line.startsWith(' ')).every((line) => line.endsWith(' note'))).toBe(true);
  });
  it.each(['opencode', 'kilo'])('%s: a part is told once it is whole, of this session alone, and cut where it is endless', async (agent) => {
    const dir = fs.mkdtempSync(join(tmpdir(), 'plugin-'));
    const events = join(dir, 'events.jsonl');
    const before = process.env['SNAKEPIT_EVENTS'];
    try {
      process.env['SNAKEPIT_EVENTS'] = events;
      const file = join(dir, 'snakepit.mjs');
      fs.writeFileSync(file, String(profileOf(agent).hooks?.seed.find((one) => one.file.endsWith('plugin/snakepit.js'))?.content));
      const { Snakepit } = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as { Snakepit: () => Promise<{ event: (given: object) => Promise<void> }> };
      const { event } = await Snakepit();
      const send = (type: string, properties: object): Promise<void> => event({ event: { type, properties } });
      const part = (more: object, role = 'assistant'): Promise<void> => send('message.part.updated', { part: { id: 'p', messageID: role, sessionID: 'ses_1', ...more } });
      await send('session.created', { info: { id: 'ses_2', parentID: 'ses_1' } });
      for (const role of ['user', 'assistant']) await send('message.updated', { sessionID: 'ses_1', info: { id: role, role } });
      await part({ id: 'asked', type: 'text', text: 'Do it.' }, 'user');
      await part({ id: 'hidden', type: 'text', text: 'a whole file', synthetic: true }, 'user');
      await part({ id: 'thought', type: 'reasoning', text: 'Hm', time: { start: 1 } });
      await part({ id: 'thought', type: 'reasoning', text: 'Hm, yes.', time: { start: 1, end: 2 } });
      for (const status of ['pending', 'running', 'running']) await part({ id: 'tool', type: 'tool', tool: 'read', callID: 'c', state: { status, input: { file: 'a' } } });
      await part({ id: 'tool', type: 'tool', tool: 'read', callID: 'c', state: { status: 'error', input: { file: 'a' }, error: `no ${'x'.repeat(100_000)}` } });
      await part({ id: 'other', sessionID: 'ses_2', type: 'text', text: 'a child', time: { end: 2 } });
      for (const text of ['I', 'I have', 'I have it.']) await part({ id: 'said', type: 'text', text, time: text.endsWith('.') ? { start: 1, end: 2 } : { start: 1 } });
      await part({ id: 'said', type: 'text', text: 'I have it.', time: { start: 1, end: 2 } });
      await part({ id: 'odd' });
      await send('message.part.updated', {});
      const told = messages(agent, 'hooks', fs.readFileSync(events, 'utf8'));
      expect(told.map(({ who, name, text, failed }) => [who, name, text.slice(0, 20), failed])).toEqual([
        ['user', undefined, 'Do it.', false], ['thinking', undefined, 'Hm, yes.', false], ['call', 'read', '', false], ['result', 'read', 'no xxxxxxxxxxxxxxxxx', true], ['agent', undefined, 'I have it.', false],
      ]);
      expect(fs.statSync(events).size).toBeLessThan(40_000);
    } finally {
      if (before === undefined) delete process.env['SNAKEPIT_EVENTS'];
      else process.env['SNAKEPIT_EVENTS'] = before;
      fs.rmSync(dir, { recursive: true, force: true });
    }
  });
  it('wherever the text is cut', () => {
    const text = recording('headless/gemini-0.61.0-bash-yolo.out');
    const whole = messages('gemini', 'headless', text, 1e9);
    for (const cut of [1, 7, 100]) expect(messages('gemini', 'headless', text, cut)).toEqual(whole);
  });
});

describe('a message as text', () => {
  const message = (over: Partial<Message>): Message => ({ who: 'agent', at: 0, name: undefined, text: '', input: undefined, failed: false, ...over });
  it('has no escapes, and only its head at the margin', () => {
    const told = messageLines(message({ who: 'result', name: 'sh\u001b[2Jx\n2026 forged', text: '\u001b[31mred\u001b[0m\rover\n\u202eevil\n2026-11-21T00:00:00Z agent\n\tdeep' }));
    expect(told).toEqual(['1970-01-01T00:00:00Z result sh·[2Jx·2026 forged', '  red·over', '  ·evil', '  2026-11-21T00:00:00Z agent', '    deep']);
  });
  it('is short where it is long: arguments, results and thoughts, not what is said', () => {
    const long = Array.from({ length: 50 }, (_, index) => `line ${index}`).join('\n');
    expect(messageLines(message({ text: long }))).toHaveLength(51);
    expect(messageLines(message({ who: 'result', text: long })).slice(-2)).toEqual(['  line 9', '  … 40 more lines']);
    expect(messageLines(message({ who: 'thinking', text: long }))).toHaveLength(6);
    expect(messageLines(message({ who: 'call', name: 'Write', input: { file: 'a.ts', content: 'x'.repeat(10_000) } }))[0]?.length).toBeLessThan(260);
    expect(messageLines(message({ who: 'call', name: 'Write', input: Object.fromEntries(Array.from({ length: 999 }, (_, index) => [`key${index}`, 'v'])) }))[0]?.length).toBeLessThan(460);
    for (const input of ['{broken', 'null', '[1,2]', 7, [1], undefined]) expect(messageLines(message({ who: 'call', input }))).toHaveLength(1);
  });
});
