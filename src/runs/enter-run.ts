import { basename, dirname, join } from 'node:path';
import type { EventSink } from '../events/event-log.js';
import { enter } from '../ledger/book.js';
import type { LedgerEntry } from '../ledger/entry.js';
import type { Files } from '../lib/files.js';
import type { Layout } from '../protocol/layout.js';
import { RUN_FILES, type AgentRecord, type AttemptRecord } from '../protocol/records.js';
import { NO_FIGURES } from '../protocol/tokens.js';

/** A run whose session has ended, and whose agent record says what it used. */
export interface EndedRun {
  readonly id: string;
  readonly dir: string;
  readonly attempt: AttemptRecord;
  /** As its outcome says: whoever enters it again writes the same line. Wall clock, milliseconds. */
  readonly endedAt: number;
  readonly agent: Pick<AgentRecord, 'tokens' | 'uncounted' | 'baseline'> | undefined;
  /** The step of a workflow that this directory is of. */
  readonly step?: string;
}

/** The attempt's directory, and below it the step's, where it has several. */
const runName = (dir: string): string => (basename(dirname(dir)) === 'steps' ? join(basename(dirname(dirname(dir))), 'steps', basename(dir)) : basename(dir));

/** What names the entry of a run, before there is one. */
export const runKeyOf = (id: string, dir: string, step: string | undefined): Pick<LedgerEntry, 'run' | 'step'> => ({ run: `${id}/${runName(dir)}`, ...(step === undefined ? {} : { step }) });

/** What the ledger is to say of a run; undefined where nothing was counted and nothing is missing. */
export function entryOf({ id, dir, attempt, endedAt, agent, step }: EndedRun): LedgerEntry | undefined {
  const { tokens, uncounted, baseline } = agent ?? {};
  if (tokens === undefined && uncounted === undefined) return undefined;
  const { costUsd, session, source, model, models, ...figures } = tokens ?? { ...NO_FIGURES, session: attempt.session, source: 'none' as const, costUsd: undefined, model: undefined, models: undefined };
  return {
    v: 1, kind: 'task', id, ...runKeyOf(id, dir, step), attempt: attempt.attempt, at: endedAt, ms: Math.max(0, endedAt - attempt.startedAt),
    profile: attempt.profile, account: attempt.account, session, ...(model === undefined ? {} : { model }), ...figures, ...(models === undefined ? {} : { models }),
    ...(costUsd === undefined ? {} : { reported: costUsd }), ...(baseline === undefined ? {} : { baseline }), source, ...(tokens === undefined ? { uncounted } : {}),
  };
}

/** What became of a run: its line and its mark lie on disk, or lay there before; there is nothing to say of it; or the ledger could not be written. */
export type Entered = 'entered' | 'nothing' | 'failed';

/**
 * Enters a run in the ledger, once: its directory is marked after the line is on disk, so a death in between writes the line again,
 * which readers know. A ledger that cannot be written (a full disk) stops no transition: the mark stays out, and the task's next attempt, or cleanup, tries again.
 */
export async function enterRun({ files, events }: { readonly files: Files; readonly events: EventSink }, layout: Layout, run: EndedRun): Promise<Entered> {
  const mark = join(run.dir, RUN_FILES.entered);
  if (await files.exists(mark)) return 'entered';
  const entry = entryOf(run);
  if (entry === undefined) return 'nothing';
  try {
    const said = await enter(files, layout, entry);
    await files.write(mark, '');
    if (said) await events.emit(countedEvent(entry));
    return 'entered';
  } catch {
    return 'failed';
  }
}

/** What the log says of an entry. */
export const countedEvent = ({ id, run, profile, model, input, output, cacheRead, cacheWrite, uncounted }: LedgerEntry) => ({ kind: 'tokens-counted', id, run, profile, model: model ?? '', input, output, cacheRead, cacheWrite, uncounted: uncounted ?? '' }) as const;
