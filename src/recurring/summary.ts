import type { Files } from '../lib/files.js';
import type { Layout } from '../protocol/layout.js';
import { isDropName } from '../queue/settled.js';
import { readRecords } from './records.js';
import { readRefused } from './refusals.js';
import { SETTING } from './state.js';

/** The templates at a glance, from what the pit wrote down: nothing is parsed. */
export interface RecurringSummary {
  readonly templates: number;
  /** The one that is due next, wall-clock milliseconds. */
  readonly next: { readonly name: string; readonly dueAt: number } | undefined;
  readonly refused: number;
}

export async function summarizeRecurring(files: Files, layout: Layout): Promise<RecurringSummary> {
  const present = new Set((await files.list(layout.recurring)).filter((name) => isDropName(Buffer.from(name))));
  const refused = Object.keys(await readRefused(files, layout));
  const records = [...(await readRecords(files, layout)).values()].filter((record) => record.key !== '' && !refused.includes(record.file));
  const templates = present.size + records.filter(({ file }) => file.startsWith(SETTING)).length;
  if (templates === 0) return { templates: 0, next: undefined, refused: 0 };
  const first = records.sort((a, b) => a.nextDueAt - b.nextDueAt)[0];
  return { templates, next: first === undefined ? undefined : { name: first.name, dueAt: first.nextDueAt }, refused: refused.length };
}
