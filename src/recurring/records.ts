import { join } from 'node:path';
import type { Files } from '../lib/files.js';
import type { Layout } from '../protocol/layout.js';
import { isTaskId } from '../protocol/names.js';
import { parseRecord, type RecurringRecord } from './state.js';

const recordPath = (layout: Layout, name: string): string => join(layout.recurringState, `${name}.json`);

export const readRecord = async (files: Files, layout: Layout, name: string): Promise<RecurringRecord | undefined> => parseRecord(await files.read(recordPath(layout, name)));

/** Written durably: what is decided lies on disk before it is done. */
export async function writeRecord(files: Files, layout: Layout, record: RecurringRecord): Promise<void> {
  await files.makeDir(layout.recurringState);
  await files.write(recordPath(layout, record.name), `${JSON.stringify(record)}\n`);
  await files.syncDir(layout.recurringState);
}

/** Everything that is remembered of templates, by name. */
export async function readRecords(files: Files, layout: Layout): Promise<Map<string, RecurringRecord>> {
  const records = new Map<string, RecurringRecord>();
  for (const file of await files.list(layout.recurringState)) {
    const name = file.replace(/\.json$/, '');
    if (name === file || !isTaskId(name)) continue;
    const record = parseRecord(await files.read(join(layout.recurringState, file)));
    if (record?.name === name) records.set(name, record);
  }
  return records;
}
