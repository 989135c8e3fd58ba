import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Files } from '../lib/files.js';
import type { Layout } from '../protocol/layout.js';
import { parseJson } from '../protocol/records.js';
import { NOTHING_HELD } from './gather.js';
import type { Cursor, Entry, Found, Held, Rule, Source } from './state.js';
import { render } from './template.js';

export const outboxDir = (layout: Layout): string => join(layout.pings, 'outbox');
const cursorDir = (layout: Layout): string => join(layout.pings, 'cursors');

/** The same event, rule and target give the same id, whoever asks and how often. */
export const entryId = (rule: string, key: string, to: string): string => createHash('sha256').update(`${rule}\0${key}\0${to}`).digest('hex').slice(0, 24);

/** One entry for each target. `order`: that of the first; they follow each other. */
export function entriesOf(rule: Rule, found: Found, order: number, nowMs: number): Entry[] {
  const { text, guarded } = rule.hook === undefined ? render(rule.message, { ...found.values, rule: rule.name }) : { text: found.values['event'] ?? '', guarded: false };
  return rule.to.map((to, index) => ({
    v: 1, id: entryId(rule.name, found.key, to), rule: rule.name, to, text, guarded, why: found.why, ...(rule.hook === undefined ? {} : { again: true as const }), ...(found.file === undefined ? {} : { file: found.file }),
    queuedAt: nowMs, order: order + index, state: { kind: 'queued', tries: 0, triedAt: undefined, refusal: undefined },
  }));
}

const fileOf = (layout: Layout, id: string): string => join(outboxDir(layout), `${id}.json`);

/** Made with all its parents; the files in it are written beside their targets, then renamed. */
export async function writeEntry(files: Files, layout: Layout, entry: Entry): Promise<void> {
  await files.makeDir(outboxDir(layout));
  await files.write(fileOf(layout, entry.id), `${JSON.stringify(entry)}\n`);
}

export const readEntry = async (files: Files, layout: Layout, id: string): Promise<Entry | undefined> => parseJson<Entry>(await files.read(fileOf(layout, id)));

export async function removeEntry(files: Files, layout: Layout, id: string): Promise<void> {
  await files.remove(fileOf(layout, id));
}

/** All that is on its way, in order. A file that cannot be read is none of ours. */
export async function readOutbox(files: Files, layout: Layout): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const name of await files.list(outboxDir(layout))) {
    if (!/^[0-9a-f]{24}\.json$/.test(name)) continue;
    const entry = await readEntry(files, layout, name.slice(0, -5));
    if (entry?.v === 1 && `${entry.id}.json` === name) entries.push(entry);
  }
  return entries.sort((a, b) => a.order - b.order);
}

/** Touched when a bell rings, with what for: `snakepit top` looks at its time. */
export const bellFile = (layout: Layout): string => join(layout.pings, 'bell');

/** A rule's cursor as it lies on disk, with what it listened to then: a rule that listens elsewhere now begins anew. */
interface CursorRecord {
  readonly v: 1;
  readonly on: Source;
  readonly cursor: Cursor;
  /** Absent: it holds nothing back. */
  readonly held?: Held;
}

/** What a rule knows of itself: how far it has looked, and what it holds back. */
export interface Progress {
  readonly cursor: Cursor | undefined;
  readonly held: Held;
}

/** What is held back stays so where the rule listens to something else now. */
export async function readProgress(files: Files, layout: Layout, rule: Rule): Promise<Progress> {
  const record = parseJson<CursorRecord>(await files.read(join(cursorDir(layout), `${rule.name}.json`)));
  if (record?.v !== 1) return { cursor: undefined, held: NOTHING_HELD };
  return { cursor: JSON.stringify(record.on) === JSON.stringify(rule.on) ? record.cursor : undefined, held: record.held ?? NOTHING_HELD };
}

/** One write: an event that is held back is behind the cursor, and one behind the cursor is not lost. */
export async function writeProgress(files: Files, layout: Layout, rule: Rule, cursor: Cursor, held: Held): Promise<void> {
  await files.makeDir(cursorDir(layout));
  const record: CursorRecord = { v: 1, on: rule.on, cursor, ...(held === NOTHING_HELD ? {} : { held }) };
  await files.write(join(cursorDir(layout), `${rule.name}.json`), `${JSON.stringify(record)}\n`);
}

/** A rule that was taken out begins anew when it comes back. */
export async function removeOtherCursors(files: Files, layout: Layout, rules: readonly Rule[]): Promise<void> {
  for (const name of await files.list(cursorDir(layout))) if (name.endsWith('.json') && !rules.some((rule) => `${rule.name}.json` === name)) await files.remove(join(cursorDir(layout), name));
}
