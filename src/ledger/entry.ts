import { parseJson } from '../protocol/records.js';
import { allTokens, FIGURES, type Figures, type TokenCount, type TokenSource } from '../protocol/tokens.js';

/**
 * One line of the ledger: what one attempt of a task, one step of it, or one stretch of a resident's session has used. Never
 * changed once it is written. The same `run`, `step` and `part` name the same entry, however often it stands there.
 */
export interface LedgerEntry extends Figures {
  readonly v: 1;
  readonly kind: 'task' | 'resident';
  /** The task's id, or the resident's name. */
  readonly id: string;
  /** `<id>/<attempt>-<nonce>` of a task, `<name>/<nonce>` of a resident. */
  readonly run: string;
  /** Of a workflow, where each step is a session of its own. */
  readonly step?: string;
  /** Of a resident's session, which is counted while it lives: the number of this stretch, from 1. */
  readonly part?: number;
  readonly attempt: number;
  /** When it ended, or was counted. Wall clock, milliseconds: its day, and the day whose prices hold. */
  readonly at: number;
  /** How long it ran, milliseconds. */
  readonly ms: number;
  readonly profile: string;
  /** The key of the provider account. */
  readonly account: string;
  readonly session: string;
  /** As its records name it; the last one of several. */
  readonly model?: string;
  readonly models?: Readonly<Record<string, Figures>>;
  /** US dollars, where the program itself says so. */
  readonly reported?: number;
  /** What the session had used before: the figures are what came to it. */
  readonly baseline?: Figures;
  readonly source: TokenSource | 'none';
  /** Why there are no figures: then all of them are 0 and mean nothing. */
  readonly uncounted?: string;
}

/** What makes two lines one entry. */
export const entryKey = ({ run, step, part }: Pick<LedgerEntry, 'run' | 'step' | 'part'>): string => `${run}#${step ?? ''}#${part ?? ''}`;

/** The figures of an entry as a count. */
export const countOf = ({ input, output, cacheRead, cacheWrite, reasoning, reported, model, models }: LedgerEntry): TokenCount => ({
  input, output, cacheRead, cacheWrite, reasoning,
  ...(reported === undefined ? {} : { costUsd: reported }), ...(model === undefined ? {} : { model }), ...(models === undefined ? {} : { models }),
});

/** Whether there is anything to enter: a session that used nothing leaves no line. */
export const saysAnything = (entry: Pick<LedgerEntry, 'uncounted' | 'reported'> & Figures): boolean => entry.uncounted !== undefined || allTokens(entry) > 0 || (entry.reported ?? 0) > 0;

const isCount = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value) && value >= 0;

/** A line as it was written; undefined for a torn or foreign one. */
export function parseEntry(line: string): LedgerEntry | undefined {
  const value = parseJson<Partial<Record<keyof LedgerEntry, unknown>>>(line);
  if (typeof value !== 'object' || value === null || value.v !== 1 || (value.kind !== 'task' && value.kind !== 'resident')) return undefined;
  if (typeof value.id !== 'string' || typeof value.run !== 'string' || typeof value.profile !== 'string' || typeof value.account !== 'string') return undefined;
  if (!isCount(value.at) || !isCount(value.ms) || !FIGURES.every((field) => isCount(value[field]))) return undefined;
  return value as LedgerEntry;
}
