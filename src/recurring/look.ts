import type { Files } from '../lib/files.js';
import type { Layout } from '../protocol/layout.js';
import { applyRecurring, clearStaged, type RecurringPorts } from './apply.js';
import { decideRecurring, decideRetired, decideUnfinished, isDue, newSince } from './decide.js';
import { lookAtLast, observeTemplates, systemZone, type Sighting, type TemplateMemory } from './observe.js';
import { readRecords } from './records.js';
import { tellRefused } from './refusals.js';
import type { LastLook, RecurringAction, RecurringRecord } from './state.js';
import type { Template } from './template.js';

/** What the pit remembers of queue/recurring/ between ticks; all of it is found again after a crash. */
export interface RecurringMemory extends TemplateMemory {
  /** The directory's time at the last look, and when that was. */
  dirMtimeMs: number | undefined;
  lookedMonoMs: number;
  /** The wall clock of the last tick: one that goes back calls for a look. */
  wallMs: number;
  /** When the next template is due, as the last look left it. */
  nextDueAt: number;
  /** Something was left undone, or a file was still being written. */
  again: boolean;
}

export const newRecurringMemory = (): RecurringMemory => ({ read: new Map(), looks: new Map(), dirMtimeMs: undefined, lookedMonoMs: Number.NEGATIVE_INFINITY, wallMs: 0, nextDueAt: 0, again: false });

interface LookLimits {
  readonly settleMs: number;
  readonly maxTaskBytes: number;
  /** How often a look is due whatever happens: an edit in place shows in no directory's time. */
  readonly rescanMs: number;
}

/** Makes what is due, of the files and of `settings`, the templates that stand in the settings. While nothing is, a tick costs one look at a directory's time. Returns whether an instance was made. */
export async function lookAtRecurring(ports: RecurringPorts, layout: Layout, memory: RecurringMemory, limits: LookLimits, settings: () => Promise<readonly Sighting[]> = async () => []): Promise<boolean> {
  const { files, clock } = ports;
  const now = { wallMs: clock.wallMs(), monoMs: clock.monoMs() };
  const dirMtimeMs = await files.mtimeMs(layout.recurring);
  const quiet = dirMtimeMs === memory.dirMtimeMs && now.wallMs < memory.nextDueAt && now.wallMs >= memory.wallMs && !memory.again && now.monoMs - memory.lookedMonoMs < limits.rescanMs;
  memory.wallMs = now.wallMs;
  if (quiet) return false;
  if (memory.lookedMonoMs === Number.NEGATIVE_INFINITY) await clearStaged(ports, layout);
  memory.dirMtimeMs = dirMtimeMs;
  memory.lookedMonoMs = now.monoMs;

  const { list, unsettled } = await observeTemplates(files, layout, memory, { ...limits, zone: systemZone() }, now, await settings());
  await tellRefused(ports, layout, list);
  const templates = new Map<string, Template>(list.flatMap((one) => (one.kind === 'good' ? [[one.template.name, one.template] as const] : [])));
  const refused = new Set(list.flatMap((one) => (one.kind === 'refused' ? [one.name] : [])));
  const records = await readRecords(files, layout);
  memory.again = unsettled > 0;
  let made = false;
  for (const name of new Set([...templates.keys(), ...records.keys()])) {
    const template = templates.get(name);
    const record = records.get(name);
    // A bad edit leaves all as it was; so does a file that is just being written.
    if (template === undefined && record?.making === undefined && (refused.has(name) || unsettled > 0)) continue;
    const action = await considerTemplate(files, layout, template, record, now.wallMs);
    const applied = await applyRecurring(ports, layout, template, record, action, limits.maxTaskBytes);
    if (applied.kind === 'busy' || action.kind === 'finish') memory.again = true;
    if (applied.kind === 'made') made = true;
  }
  const after = [...(await readRecords(files, layout)).values()].filter((record) => templates.has(record.name));
  memory.nextDueAt = Math.min(Number.POSITIVE_INFINITY, ...after.map((record) => record.nextDueAt));
  return made;
}

/** What is to be done about one template now, and nothing done yet. */
export async function considerTemplate(files: Files, layout: Layout, template: Template | undefined, record: RecurringRecord | undefined, wallMs: number): Promise<RecurringAction> {
  const unfinished = decideUnfinished(record);
  if (unfinished !== undefined) return unfinished;
  if (template === undefined) return record === undefined ? { kind: 'none', rule: 'nothing' } : decideRetired(record, wallMs);
  const due = isDue(record, template, wallMs);
  const last: LastLook = due ? await lookAtLast(files, layout, record) : { kind: 'unseen' };
  const asked = due && last.kind !== 'open' && last.kind !== 'unseen';
  return decideRecurring(template, record, last, wallMs, asked ? await template.work?.(newSince(record, wallMs)) : undefined);
}
