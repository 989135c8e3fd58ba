import { join } from 'node:path';
import type { TaskFault } from '../protocol/front-matter.js';
import type { Layout } from '../protocol/layout.js';
import { isTaskId } from '../protocol/names.js';
import { checkTask, planPlacement, settleIn, type IntakePorts, type IntakeRound } from './intake.js';
import type { Placement } from './place.js';

/*
 * A task that is decided first and put in line second, each exactly once: its file is staged in queue/tmp/, the decision is written
 * elsewhere, then one rename puts it in line. A staged file that is still there was not put; one that is gone was. The callers hold
 * the intake lock.
 */

const STAGED = /^staged~(.+)\.md$/;

const stagedPath = (layout: Layout, id: string): string => join(layout.tmp, `staged~${id}.md`);

/** Writes the file of the task `id`, durably; one that was staged before is replaced. */
export async function stage({ files }: IntakePorts, layout: Layout, id: string, text: string): Promise<void> {
  await files.makeDir(layout.tmp);
  await files.write(stagedPath(layout, id), text);
  await files.syncDir(layout.tmp);
}

export const unstage = ({ files }: IntakePorts, layout: Layout, id: string): Promise<unknown> => files.remove(stagedPath(layout, id));

/** The ids of everything that is staged. */
export async function listStaged({ files }: IntakePorts, layout: Layout): Promise<string[]> {
  return (await files.list(layout.tmp)).flatMap((name) => STAGED.exec(name)?.[1] ?? []).filter(isTaskId);
}

export type Put = { readonly kind: 'put'; readonly placement: Placement } | { readonly kind: 'gone' } | { readonly kind: 'refused'; readonly fault: TaskFault };

/** Puts a staged task in line as a dropped one would be: the same checks, the same refusal of an id that is taken. */
export async function putStaged(ports: IntakePorts, layout: Layout, round: IntakeRound, id: string, from: string, maxBytes: number): Promise<Put> {
  const { files, events } = ports;
  const bytes = await files.readBytes(stagedPath(layout, id), maxBytes + 1);
  if (bytes === undefined) return { kind: 'gone' };
  const checked = await checkTask(bytes, maxBytes);
  const planned = checked.ok ? await planPlacement(ports, layout, round, checked.value, Buffer.from(`${id}.md`)) : checked;
  if (!planned.ok) return { kind: 'refused', fault: planned.error };
  if ((await files.rename(stagedPath(layout, id), join(layout.dir(planned.value.state), planned.value.fileName))) === 'missing') return { kind: 'gone' };
  await settleIn(ports, layout, round, planned.value, from);
  if (checked.ok) for (const warning of checked.value.warnings) await events.emit({ kind: 'task-warned', id, ...warning });
  return { kind: 'put', placement: planned.value };
}
