import { join } from 'node:path';
import type { Files } from '../lib/files.js';
import type { Layout } from '../protocol/layout.js';
import { parseJson } from '../protocol/records.js';
import type { WorktreeRecord } from './state.js';

const FILE = 'workspace.json';

/** What belongs to a task's workspace and is not in it: its record, the output of its set-up commands. */
export const workspaceDir = (layout: Layout, id: string): string => join(layout.workspaces, id);

/** Undefined: it has no worktree and never had one; or its record cannot be read, which a repaired disk may show. */
export async function readWorkspace(files: Files, layout: Layout, id: string): Promise<WorktreeRecord | undefined> {
  const record = parseJson<WorktreeRecord>(await files.read(join(workspaceDir(layout, id), FILE)));
  return record?.v === 1 && record.id === id ? record : undefined;
}

export async function writeWorkspace(files: Files, layout: Layout, record: WorktreeRecord): Promise<void> {
  const dir = workspaceDir(layout, record.id);
  await files.makeDir(dir);
  await files.write(join(dir, FILE), `${JSON.stringify(record)}\n`);
}

/** All that were ever made. */
export async function listWorkspaces(files: Files, layout: Layout): Promise<WorktreeRecord[]> {
  const records: WorktreeRecord[] = [];
  for (const id of await files.list(layout.workspaces)) {
    const record = await readWorkspace(files, layout, id);
    if (record !== undefined) records.push(record);
  }
  return records;
}
