import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { isTaskId } from '../../src/protocol/names.js';
import { parseTask } from '../../src/protocol/parse-task.js';
import { instanceId, localTime, LONGEST_NAME } from '../../src/recurring/local-time.js';
import { anchorOf, latestUpTo, nextAfter, type Schedule } from '../../src/recurring/schedule.js';
import { parseRecord } from '../../src/recurring/state.js';
import { loadTemplate, type Template } from '../../src/recurring/template.js';
import type { TaskFault } from '../../src/protocol/front-matter.js';

const at = (iso: string): number => Date.parse(iso);
const iso = (ms: number): string => new Date(ms).toISOString().replace(/:00\.000Z$/, 'Z');
const cron = (expression: string, zone = 'Europe/Berlin'): Schedule => ({ kind: 'cron', expression, zone });
const dues = (schedule: Schedule, from: string, count: number): string[] => {
  const found: string[] = [];
  for (let after = at(from); found.length < count; ) {
    after = nextAfter(schedule, 0, after);
    found.push(iso(after));
  }
  return found;
};

describe('cron: when it is due', () => {
  it.each<[string, Schedule, string, string[]]>([
    ['on working days', cron('0 3 * * 1-5'), '2026-11-20T12:00Z', ['2026-11-23T02:00Z', '2026-11-24T02:00Z']],
    ['a due time itself is not after itself', cron('0 3 * * *'), '2026-11-20T02:00Z', ['2026-11-21T02:00Z']],
    ['in another zone', cron('30 9 * * *', 'Asia/Kolkata'), '2026-11-20T12:00Z', ['2026-11-21T04:00Z']],
    ['a time that summer time leaves out comes right after the gap', cron('30 2 * * *'), '2026-03-28T12:00Z', ['2026-03-29T01:00Z', '2026-03-30T00:30Z']],
    ['steps go on over the gap', cron('*/30 * * * *'), '2026-03-29T00:20Z', ['2026-03-29T00:30Z', '2026-03-29T01:00Z', '2026-03-29T01:30Z']],
    ['steps of an hour that is left out do not come that day', cron('*/30 2 * * *'), '2026-03-28T12:00Z', ['2026-03-30T00:00Z', '2026-03-30T00:30Z']],
    ['a time that is repeated comes once', cron('30 2 * * *'), '2026-10-24T12:00Z', ['2026-10-25T00:30Z', '2026-10-26T01:30Z']],
    ['every hour comes in both', cron('0 * * * *'), '2026-10-24T23:30Z', ['2026-10-25T00:00Z', '2026-10-25T01:00Z', '2026-10-25T02:00Z']],
    ['a zone that goes back by half an hour', cron('*/30 * * * *', 'Australia/Lord_Howe'), '2026-04-04T14:45Z', ['2026-04-04T15:00Z', '2026-04-04T15:30Z']],
    ['midnight that is left out', cron('0 0 * * *', 'America/Santiago'), '2026-09-05T12:00Z', ['2026-09-06T04:00Z', '2026-09-07T03:00Z']],
    ['the leap day', cron('0 0 29 2 *', 'UTC'), '2026-01-01T00:00Z', ['2028-02-29T00:00Z', '2032-02-29T00:00Z']],
    ['the 31st, in months that have one', cron('0 0 31 * *', 'UTC'), '2026-01-31T12:00Z', ['2026-03-31T00:00Z', '2026-05-31T00:00Z']],
    ['the last of each month', cron('0 0 L * *', 'UTC'), '2026-01-31T12:00Z', ['2026-02-28T00:00Z', '2026-03-31T00:00Z']],
    ['day of month or weekday, where both are given', cron('0 0 13 * 5', 'UTC'), '2026-01-09T12:00Z', ['2026-01-13T00:00Z', '2026-01-16T00:00Z']],
    ['Sunday as 0 and as 7', cron('0 0 * * 7', 'UTC'), '2026-11-20T00:00Z', ['2026-11-22T00:00Z']],
  ])('%s', (_name, schedule, from, wanted) => {
    expect(dues(schedule, from, wanted.length)).toEqual(wanted);
  });

  it('the last due time after a sleep of ten years is found, and found at once', () => {
    expect(iso(latestUpTo(cron('*/5 * * * *', 'UTC'), 0, at('2016-01-01T00:00Z'), at('2026-01-01T00:04:59Z')))).toBe('2026-01-01T00:00Z');
    expect(iso(latestUpTo(cron('0 3 1 1 *', 'UTC'), 0, at('2016-01-01T03:00Z'), at('2026-01-01T02:59Z')))).toBe('2025-01-01T03:00Z');
  });
});

describe('every: when it is due', () => {
  const hourly: Schedule = { kind: 'every', everyMs: 3_600_000, zone: 'UTC' };
  it.each<[string, string, string]>([
    ['an interval after the anchor, at first', '2026-11-20T09:07Z', '2026-11-20T10:07Z'],
    ['before the anchor too', '2026-11-20T01:00Z', '2026-11-20T10:07Z'],
    ['on the grid, however late the look', '2026-11-20T13:59Z', '2026-11-20T14:07Z'],
    ['not at a due time itself', '2026-11-20T14:07Z', '2026-11-20T15:07Z'],
  ])('%s', (_name, after, wanted) => {
    expect(iso(nextAfter(hourly, at('2026-11-20T09:07Z'), at(after)))).toBe(wanted);
  });

  it('counts from the whole minute, or for seconds from the whole second', () => {
    expect(anchorOf(hourly, at('2026-11-20T09:07:31.500Z'))).toBe(at('2026-11-20T09:07:00Z'));
    expect(anchorOf({ kind: 'every', everyMs: 90_000, zone: 'UTC' }, at('2026-11-20T09:07:31.500Z'))).toBe(at('2026-11-20T09:07:31Z'));
  });
});

describe('ids of instances', () => {
  it.each<[string, string, string, string]>([
    ['the due time as local clocks show it', '2026-11-23T02:00:00Z', 'Europe/Berlin', 'n-20261123-0300'],
    ['with seconds where there are any', '2026-11-23T02:00:05Z', 'Europe/Berlin', 'n-20261123-030005'],
    ['midnight is 00', '2026-11-22T23:00:00Z', 'Europe/Berlin', 'n-20261123-0000'],
    ['the first of a repeated hour', '2026-10-25T00:30:00Z', 'Europe/Berlin', 'n-20261025-0230'],
    ['the second of it', '2026-10-25T01:30:00Z', 'Europe/Berlin', 'n-20261025-0230b'],
    ['after it', '2026-10-25T02:00:00Z', 'Europe/Berlin', 'n-20261025-0300'],
    ['half an hour that is repeated', '2026-04-04T15:15:00Z', 'Australia/Lord_Howe', 'n-20260405-0145b'],
  ])('%s', (_name, due, zone, wanted) => {
    expect(instanceId('n', at(due), zone)).toBe(wanted);
  });

  it('the longest name still gives a legal id', () => {
    const id = instanceId('x'.repeat(LONGEST_NAME), at('2026-10-25T01:30:05Z'), 'Europe/Berlin');
    expect([id.length, isTaskId(id)]).toEqual([64, true]);
  });

  it('a time for a person', () => {
    expect(localTime('Asia/Kolkata', at('2026-11-20T18:30:00Z'))).toBe('2026-11-21 00:00 Asia/Kolkata');
  });
});

const load = (text: string, file = 'x.md', zone = 'UTC') => loadTemplate(Buffer.from(text), Buffer.from(file), { maxTaskBytes: 10_000, zone });
async function good(text: string, file?: string): Promise<Template> {
  const loaded = await load(text, file);
  if (!loaded.ok) throw new Error(`${loaded.error.line}: ${loaded.error.problem}`);
  return loaded.value;
}
async function bad(text: string, file?: string): Promise<TaskFault> {
  const loaded = await load(text, file);
  if (loaded.ok) throw new Error('was taken');
  return loaded.error;
}

describe('templates', () => {
  it('every, cron, zone, catch-up', async () => {
    expect(await good('---\nevery: 6h\n---\nx\n')).toMatchObject({ name: 'x', catchUp: true, schedule: { kind: 'every', everyMs: 21_600_000, zone: 'UTC' } });
    expect(await good('---\ncron: 0  3 * * 1-5\ntz: Europe/Berlin\ncatch-up: false\nid: night\n---\nx\n')).toMatchObject({ name: 'night', catchUp: false, schedule: { kind: 'cron', expression: '0 3 * * 1-5', zone: 'Europe/Berlin' } });
  });

  it.each<[string, string, number, RegExp]>([
    ['neither', '---\npriority: high\n---\nx\n', 2, /needs every: or cron:/],
    ['no front matter', 'x\n', 1, /needs every: or cron:/],
    ['both', '---\nevery: 1h\ncron: "0 3 * * *"\n---\nx\n', 3, /both given/],
    ['no unit', '---\npriority: high\nevery: 30\n---\nx\n', 3, /every: is not a duration/],
    ['too short', '---\nevery: 500ms\n---\nx\n', 2, /whole seconds/],
    ['not whole', '---\nevery: 1500ms\n---\nx\n', 2, /whole seconds/],
    ['nothing', '---\nevery: 0s\n---\nx\n', 2, /whole seconds/],
    ['four fields', '---\ncron: "0 3 * *"\n---\nx\n', 2, /has 4 fields, not five/],
    ['six fields', '---\ncron: "0 0 3 * * *"\n---\nx\n', 2, /has 6 fields, not five/],
    ['a date', '---\ncron: "2026-12-01T02:00:00"\n---\nx\n', 2, /has 1 field, not five/],
    ['out of range', '---\n\ncron: "61 3 * * *"\n---\nx\n', 3, /invalid value for minute: 61/],
    ['backwards', '---\ncron: "30-10 3 * * *"\n---\nx\n', 2, /larger than/],
    ['a step of nothing', '---\ncron: "*/0 3 * * *"\n---\nx\n', 2, /stepping/],
    ['never', '---\ncron: "0 0 30 2 *"\n---\nx\n', 2, /never comes/],
    ['the time of looking', '---\ncron: "? 3 * * *"\n---\nx\n', 2, /question mark/],
    ['stars that YAML takes for an alias', '---\ncron: * * * * *\n---\nx\n', 2, /YAML/],
    ['no such zone', '---\nevery: 1h\ntz: Mars/Olympus\n---\nx\n', 3, /Mars\/Olympus is no time zone/],
    ['an unclear catch-up', '---\nevery: 1h\ncatch-up: maybe\n---\nx\n', 3, /neither true nor false/],
    ['one time', '---\nevery: 1h\nat: 2026-12-01T02:00\n---\nx\n', 3, /at: names one time/],
    ['braces', '---\n{every: 1h}\n---\nx\n', 2, /in braces/],
    ['what the intake would refuse', '---\nevery: 1h\n---\n', 4, /no text below/],
    ['a bad key of the task', '---\nevery: 1h\npriority: soon\n---\nx\n', 3, /priority: is out of range/],
    ['a key twice', '---\nevery: 1h\nEvery: 2h\n---\nx\n', 3, /given twice/],
    ['too large', `---\nevery: 1h\n---\n${'x'.repeat(10_000)}\n`, 1, /larger than 10000 bytes/],
    ['a name that is too long', `---\nevery: 1h\nid: ${'n'.repeat(LONGEST_NAME + 1)}\n---\nx\n`, 3, /longer than 47/],
    ['an instance that is too large by its heading', `---\nevery: 1h\n---\n${'x'.repeat(9_970)}\n`, 1, /its instances would be refused/],
  ])('refused with its line: %s', async (_name, text, line, problem) => {
    const fault = await bad(text);
    expect(fault.line).toBe(line);
    expect(fault.problem).toMatch(problem);
    expect(fault.fix).not.toBe('');
  });

  it('an instance is the task without what is the template\'s own, under its own id', async () => {
    const template = await good('---\nid: night\r\nevery:\n  6h\n# kept\npriority: high\ncatchUp: false\ntz: >-\n  Europe/Berlin\n---\n# Title\r\n\nbody\n');
    const text = await template.instance('night-20261123-0300', at('2026-11-23T02:00:00Z'));
    expect(text).toBe('---\nid: night-20261123-0300\n# made from queue/recurring/x.md, due 2026-11-23 03:00 Europe/Berlin\n# kept\npriority: high\n---\n# Title\r\n\nbody\n');
    const parsed = await parseTask(Buffer.from(text));
    expect(parsed).toMatchObject({ ok: true, value: { warnings: [], spec: { id: 'night-20261123-0300', priority: 30, title: 'Title' } } });
  });

  it('the keys of a template in a plain task are told, and it runs once', async () => {
    const parsed = await parseTask(Buffer.from('---\nevery: 1h\n---\nx\n'));
    expect(parsed).toMatchObject({ ok: true, value: { warnings: [{ line: 2, text: 'every: works in queue/recurring/ only; this task runs once' }] } });
  });
});

describe('the examples', () => {
  const dir = fileURLToPath(new URL('../../examples/recurring/', import.meta.url));
  it.each(readdirSync(dir))('%s is a good template', async (file) => {
    const template = await good(readFileSync(`${dir}/${file}`, 'utf8'), file);
    const parsed = await parseTask(Buffer.from(await template.instance(instanceId(template.name, 0, 'UTC'), 0)));
    expect(parsed).toMatchObject({ ok: true, value: { warnings: [] } });
  });
});

describe('records', () => {
  const record = { v: 1, name: 'n', file: 'n.md', key: 'every 1000', anchorAt: 0, nextDueAt: 1, at: 0, spent: [{ from: 1, to: 2 }] };
  it.each<[string, unknown, boolean]>([
    ['a good one', record, true],
    ['with its last instance', { ...record, last: { id: 'n-1', dueAt: 1 } }, true],
    ['of tomorrow', { ...record, v: 2 }, false],
    ['without a time', { ...record, nextDueAt: null }, false],
    ['with a span that is none', { ...record, spent: [null] }, false],
    ['with an id that is a path', { ...record, making: { id: '../x', dueAt: 1, rule: 'due' } }, false],
    ['a list', [], false],
  ])('%s', (_name, value, taken) => {
    expect(parseRecord(JSON.stringify(value)) !== undefined).toBe(taken);
  });
  it('torn', () => expect(parseRecord('{"v":1,')).toBeUndefined());
});
