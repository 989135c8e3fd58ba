import { join } from 'node:path';
import type { Files } from '../lib/files.js';
import { parseJson, RUN_FILES, type UsageRecord } from '../protocol/records.js';

/** What a session has used so far; undefined: its program has said nothing yet, or says nothing while it runs. */
export async function readUsage(files: Files, dir: string): Promise<UsageRecord | undefined> {
  const record = parseJson<UsageRecord>(await files.read(join(dir, RUN_FILES.usage)));
  return record?.v === 1 ? record : undefined;
}
