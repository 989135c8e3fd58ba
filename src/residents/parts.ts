import { join } from 'node:path';
import { enter } from '../ledger/book.js';
import type { LedgerEntry } from '../ledger/entry.js';
import type { Files } from '../lib/files.js';
import type { Layout } from '../protocol/layout.js';
import { parseJson, RUN_FILES, type AttemptRecord } from '../protocol/records.js';
import { allTokens, NO_FIGURES, plusFigures, sumTokens, tokensSince, type TokenCount, type TokenRecord } from '../protocol/tokens.js';

/*
 * A session that lives for weeks is counted in parts, each of which is what came since the one before. What was counted so far lies
 * beside the run, with the line that is to be written, on disk before the line is:
 *
 *     counted n-1 ──figures have grown──► counted n, line n owed ──line written──► counted n
 *
 * Killed in between, whoever comes next writes the same line again, which readers take once, and goes on from there.
 */

/** What the ledger has of one run of a resident. */
export interface CountedParts {
  readonly v: 1;
  readonly part: number;
  /** Wall clock, milliseconds: of the last part, or of the run's beginning. */
  readonly at: number;
  /** By the program's session: what was counted of it, from the first look at it on. A run may come to have several. */
  readonly sessions: Readonly<Record<string, TokenCount>>;
  /** A line that may not be in the ledger yet. */
  readonly owed?: LedgerEntry;
}

/** A run of a resident. `run`: its name in the ledger. */
export interface CountedRun {
  readonly name: string;
  readonly nonce: string;
  readonly dir: string;
  readonly attempt: AttemptRecord;
}

/** What the ledger has of a run; nothing yet, where nothing was written. */
export async function readParts(files: Files, { dir, attempt }: Pick<CountedRun, 'dir' | 'attempt'>): Promise<CountedParts> {
  const parts = parseJson<CountedParts>(await files.read(join(dir, RUN_FILES.counted)));
  return parts?.v === 1 ? parts : { v: 1, part: 0, at: attempt.startedAt, sessions: {} };
}

/** Who the figures of a part are from, and how long it is. Milliseconds. */
export interface Seen {
  /** All that the session has used. */
  readonly whole: TokenRecord;
  /** Wall clock of the look. */
  readonly at: number;
  readonly ms: number;
}

/** The next part, where something came to what was counted; undefined also where the figures went back, which makes the difference mean nothing. Pure. */
export function nextPart(before: CountedParts, run: CountedRun, { whole, at, ms }: Seen): CountedParts | undefined {
  const { session, source, ...count } = whole;
  const known = before.sessions[session];
  const added = tokensSince(known ?? sumTokens([]), count);
  if (added === undefined || allTokens(added) === 0) return undefined;
  const { costUsd, model, models, ...figures } = added;
  const owed: LedgerEntry = {
    ...head(before, run, at, ms), session, ...(model === undefined ? {} : { model }), ...figures, ...(models === undefined ? {} : { models }),
    ...(costUsd === undefined ? {} : { reported: costUsd }), ...(known === undefined || allTokens(known) === 0 ? {} : { baseline: plusFigures(NO_FIGURES, known) }), source,
  };
  return { v: 1, part: before.part + 1, at, sessions: { ...before.sessions, [session]: count }, owed };
}

/** A run of which no figure could be had: one part that says why. Pure. */
export function uncountedPart(before: CountedParts, run: CountedRun, at: number, uncounted: string): CountedParts {
  return { ...before, part: before.part + 1, at, owed: { ...head(before, run, at, 0), session: run.attempt.session, ...NO_FIGURES, source: 'none', uncounted } };
}

const head = ({ part }: CountedParts, { name, nonce, attempt }: CountedRun, at: number, ms: number) => ({ v: 1, kind: 'resident', id: name, run: `${name}/${nonce}`, part: part + 1, attempt: attempt.attempt, at, ms, profile: attempt.profile, account: attempt.account }) as const;

/** Writes what is owed, and says what is counted then. */
export async function settleParts(files: Files, layout: Layout, { dir }: Pick<CountedRun, 'dir'>, parts: CountedParts): Promise<CountedParts> {
  const { owed, ...settled } = parts;
  if (owed === undefined) return parts;
  await enter(files, layout, owed);
  await files.write(join(dir, RUN_FILES.counted), `${JSON.stringify(settled)}\n`);
  return settled;
}

/** A session that is seen for the first time, so that its last turns are counted although another is begun before the next look. */
export async function rememberSession(files: Files, { dir }: Pick<CountedRun, 'dir'>, parts: CountedParts, session: string): Promise<CountedParts> {
  if (parts.sessions[session] !== undefined) return parts;
  const next: CountedParts = { ...parts, sessions: { ...parts.sessions, [session]: NO_FIGURES } };
  await files.write(join(dir, RUN_FILES.counted), `${JSON.stringify(next)}\n`);
  return next;
}

/** What is to be entered on disk first, then in the ledger. */
export async function enterPart(files: Files, layout: Layout, run: CountedRun, next: CountedParts): Promise<CountedParts> {
  await files.write(join(run.dir, RUN_FILES.counted), `${JSON.stringify(next)}\n`);
  return settleParts(files, layout, run, next);
}
