import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileEventSink, parseEvents } from '../../src/events/event-log.js';
import { systemClock } from '../../src/lib/clock.js';
import { nodeFiles } from '../../src/lib/node-files.js';

const line = (value: object): string => JSON.stringify(value);
const GOOD = line({ v: 1, at: 5, kind: 'queue-paused' });

describe('parseEvents', () => {
  it.each<[string, string, number]>([
    ['nothing', '', 0],
    ['one line', `${GOOD}\n`, 1],
    ['a last line without its newline', `${GOOD}\n${GOOD}`, 2],
    ['blank lines', `\n\n${GOOD}\n\n`, 1],
    ['a torn line, in the middle', `${GOOD}\n${GOOD.slice(0, 12)}\n${GOOD}\n`, 2],
    ['a torn line, at the end', `${GOOD}\n${GOOD.slice(0, 12)}`, 1],
    ['two lines run together', `${GOOD}${GOOD}\n${GOOD}\n`, 1],
    ['a version of tomorrow', `${line({ v: 2, at: 5, kind: 'x' })}\n`, 0],
    ['no version', `${line({ at: 5, kind: 'x' })}\n`, 0],
    ['no kind', `${line({ v: 1, at: 5 })}\n`, 0],
    ['a number', '5\n', 0],
    ['null', `null\n${GOOD}\n`, 1],
    ['an array', '[]\n', 0],
    ['NUL bytes of a file that lost power', `\0\0\0\n${GOOD}\n`, 1],
  ])('%s', (_name, text, wanted) => {
    expect(parseEvents(text)).toHaveLength(wanted);
  });
});

describe('fileEventSink', () => {
  let dir = '';
  beforeEach(() => {
    dir = fs.mkdtempSync(join(tmpdir(), 'events-'));
  });
  afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

  it('writes what parseEvents reads, one line an event, newlines in the text or not', async () => {
    const sink = fileEventSink(nodeFiles, systemClock, join(dir, 'e'));
    await sink.emit({ kind: 'task-refused', file: 'a\nb.md', line: 1, problem: 'p', fix: 'f' });
    await sink.emit({ kind: 'pit-stopped', how: 'drained' });
    const events = parseEvents(fs.readFileSync(join(dir, 'e'), 'utf8'));
    expect(events).toMatchObject([{ kind: 'task-refused', file: 'a\nb.md' }, { kind: 'pit-stopped' }]);
  });

  it('cuts what is too long for one write, and it can still be read', async () => {
    const sink = fileEventSink(nodeFiles, systemClock, join(dir, 'e'));
    await sink.emit({ kind: 'task-failed', id: 'x', marker: 'm', attempt: 1, why: 'w'.repeat(100_000) });
    const text = fs.readFileSync(join(dir, 'e'), 'utf8');
    expect(text.length).toBeLessThan(4096);
    expect(parseEvents(text)).toMatchObject([{ kind: 'task-failed', id: 'x' }]);
  });

  it('a log that cannot be written stops nobody', async () => {
    await fileEventSink(nodeFiles, systemClock, join(dir, 'missing', 'e')).emit({ kind: 'queue-paused' });
  });
});
