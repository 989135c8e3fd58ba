import { join } from 'node:path';
import type { Clock } from '../lib/clock.js';
import type { Files } from '../lib/files.js';
import type { Layout } from './layout.js';
import { parseJson, RUN_FILES } from './records.js';

/** Why a task ended without being tried: written before it moves to failed/, so that whoever tells its story again knows the reason. */
export interface NeverRecord {
  readonly v: 1;
  readonly why: string;
  /** Wall clock, milliseconds. An attempt that ended later has a reason of its own. */
  readonly at: number;
}

const fileOf = (layout: Layout, id: string): string => join(layout.runs, id, RUN_FILES.never);

/** Before the rename into failed/. */
export async function recordNever({ files, clock }: { readonly files: Files; readonly clock: Pick<Clock, 'wallMs'> }, layout: Layout, id: string, why: string): Promise<void> {
  await files.makeDir(join(layout.runs, id));
  const record: NeverRecord = { v: 1, why, at: clock.wallMs() };
  await files.write(fileOf(layout, id), `${JSON.stringify(record)}\n`);
}

/** The rename came too late: the task went on without it. */
export const forgetNever = (files: Files, layout: Layout, id: string): Promise<unknown> => files.remove(fileOf(layout, id));

export async function readNever(files: Files, layout: Layout, id: string): Promise<NeverRecord | undefined> {
  const record = parseJson<NeverRecord>(await files.read(fileOf(layout, id)));
  return record?.v === 1 ? record : undefined;
}
