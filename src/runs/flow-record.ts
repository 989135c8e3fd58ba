import { dirname, join } from 'node:path';
import type { Files } from '../lib/files.js';
import { parseJson, RUN_FILES } from '../protocol/records.js';
import type { FlowRecord } from '../protocol/workflow.js';

/** Where the workflow of an attempt stands; undefined: it has none, and is one session. */
export async function readFlow(files: Files, base: string): Promise<FlowRecord | undefined> {
  const record = parseJson<FlowRecord>(await files.read(join(base, RUN_FILES.workflow)));
  return record?.v === 1 ? record : undefined;
}

/** The directory of the session that an attempt stands at. */
export const sessionDir = (base: string, flow: FlowRecord | undefined): string => (flow?.run === undefined ? base : join(dirname(base), flow.run));

/** The same, for a past attempt whose record is not at hand. */
export const lastSessionDir = async (files: Files, base: string): Promise<string> => sessionDir(base, await readFlow(files, base));
