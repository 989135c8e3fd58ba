import { take } from '../lib/baton.js';
import type { Processes } from '../lib/processes.js';
import { unreachable } from '../lib/unreachable.js';
import type { Layout } from '../protocol/layout.js';
import { beginRound, type IntakePorts } from '../queue/intake.js';
import { listStaged, putStaged, stage, unstage } from '../queue/staged.js';
import { readRecord, readRecords, writeRecord } from './records.js';
import { sourceOf, type RecurringAction, type RecurringRecord } from './state.js';
import type { Template } from './template.js';

export interface RecurringPorts extends IntakePorts {
  readonly processes: Processes;
}

/** "busy": somebody else has the intake, or the record changed meanwhile; nothing was done, look again. */
export type Applied = { readonly kind: 'ok' } | { readonly kind: 'busy' } | { readonly kind: 'made'; readonly id: string } | { readonly kind: 'not-made'; readonly why: string };

/** Does what was decided on the strength of `before`, unless somebody has written another record since. */
export async function applyRecurring(ports: RecurringPorts, layout: Layout, template: Template | undefined, before: RecurringRecord | undefined, action: RecurringAction, maxBytes: number): Promise<Applied> {
  const { files, processes, events } = ports;
  if (action.kind === 'none') return { kind: 'ok' };
  const lock = await take(files, processes, layout.locks.intake);
  if (lock.kind === 'held') return { kind: 'busy' };
  try {
    const now = await readRecord(files, layout, action.record.name);
    if (JSON.stringify(now) !== JSON.stringify(before)) return { kind: 'busy' };
    switch (action.kind) {
      case 'record':
        await writeRecord(files, layout, action.record);
        return { kind: 'ok' };
      case 'skip':
        await writeRecord(files, layout, action.record);
        if (action.tell) await events.emit({ kind: 'task-skipped', name: action.record.name, due: action.dueAt, rule: action.rule, evidence: action.evidence });
        return { kind: 'ok' };
      case 'make': {
        if (template === undefined) return { kind: 'busy' };
        const { id, dueAt } = action.instance;
        await stage(ports, layout, id, await template.instance(id, dueAt, action.since));
        await writeRecord(files, layout, action.record);
        return await putInLine(ports, layout, action, maxBytes);
      }
      case 'finish':
        return await putInLine(ports, layout, action, maxBytes);
      default:
        return unreachable(action);
    }
  } finally {
    await lock.release();
  }
}

/** The second half of making, from the staged file on; also what is left of it after a crash. */
async function putInLine(ports: RecurringPorts, layout: Layout, { rule, record, instance }: Extract<RecurringAction, { kind: 'make' | 'finish' }>, maxBytes: number): Promise<Applied> {
  const { files, events } = ports;
  const { id, dueAt } = instance;
  const put = await putStaged(ports, layout, await beginRound(files, layout), id, sourceOf(record.file), maxBytes);
  if (put.kind === 'refused') {
    // Mostly because a task of this id is there already: it is of this due time.
    await events.emit({ kind: 'task-skipped', name: record.name, due: dueAt, rule: 'not-taken-in', evidence: put.fault.problem });
    await unstage(ports, layout, id);
  } else await events.emit({ kind: 'task-scheduled', name: record.name, id, due: dueAt, rule });
  const { making, ...made } = record;
  void making;
  await writeRecord(files, layout, made);
  return put.kind === 'refused' ? { kind: 'not-made', why: `${put.fault.problem}; ${put.fault.fix}` } : { kind: 'made', id };
}

/** Takes away what was staged by a process that died before it wrote down why. */
export async function clearStaged(ports: RecurringPorts, layout: Layout): Promise<void> {
  if ((await listStaged(ports, layout)).length === 0) return;
  const lock = await take(ports.files, ports.processes, layout.locks.intake);
  if (lock.kind === 'held') return;
  try {
    const wanted = new Set([...(await readRecords(ports.files, layout)).values()].map((record) => record.making?.id));
    for (const id of await listStaged(ports, layout)) if (!wanted.has(id)) await unstage(ports, layout, id);
  } finally {
    await lock.release();
  }
}
