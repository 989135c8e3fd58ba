import { join } from 'node:path';
import type { Config } from '../config/config.js';
import { NOTHING_SPENT, type Spent } from '../ledger/budget.js';
import { entryKey } from '../ledger/entry.js';
import type { Files } from '../lib/files.js';
import type { Layout } from '../protocol/layout.js';
import type { StuckName } from '../protocol/names.js';
import { parseExit, RUN_FILES } from '../protocol/records.js';
import type { TokenCount } from '../protocol/tokens.js';
import { runKeyOf } from './enter-run.js';
import { readAgent, readAttempt, readOutcome } from './run-dir.js';
import { spentOf } from './spent.js';
import { standingClaims } from './standing.js';
import { currentRun } from './steps.js';
import { readUsage } from './usage.js';

const MINUTE_MS = 60_000;

/** What a session has used that is not in the ledger yet. */
export interface RunningUse {
  /** The key of the entry that it will be. */
  readonly key: string;
  readonly id: string;
  readonly tokens: TokenCount | undefined;
  readonly spent: Spent;
}

/** What the session of a claim has used so far; undefined: none has begun, it is entered already, or its program is nobody's account and never is. Of a program that names no figure only the time is known. */
export async function useOf(files: Files, layout: Layout, { priceLists }: Pick<Config, 'priceLists'>, claim: StuckName, nowMs: number): Promise<RunningUse | undefined> {
  const { base, dir } = await currentRun(files, layout, claim);
  const attempt = await readAttempt(files, dir);
  if (attempt === undefined || attempt.account.startsWith('none.') || !(await files.exists(join(dir, RUN_FILES.session))) || (await files.exists(join(dir, RUN_FILES.entered)))) return undefined;
  const tokens = (await readAgent(files, dir))?.tokens ?? (await readUsage(files, dir))?.tokens;
  const endedAt = parseExit(await files.read(join(dir, RUN_FILES.exit)))?.endedAt ?? (await readOutcome(files, base))?.endedAt ?? nowMs;
  const ms = Math.max(0, endedAt - attempt.startedAt);
  const key = entryKey(runKeyOf(claim.id, dir, attempt.step?.id));
  return { key, id: claim.id, tokens, spent: tokens === undefined ? { ...NOTHING_SPENT, minutes: ms / MINUTE_MS } : spentOf(priceLists, tokens, attempt.account, nowMs, ms) };
}

/** The same of all sessions of tasks that run, or have ended and are not entered yet; of stuck tasks too, whose processes may work on. */
export async function usesNow(files: Files, layout: Layout, config: Pick<Config, 'priceLists'>, nowMs: number): Promise<RunningUse[]> {
  const uses: RunningUse[] = [];
  for (const claim of await standingClaims(files, layout)) {
    const use = await useOf(files, layout, config, claim, nowMs);
    if (use !== undefined && !uses.some(({ key }) => key === use.key)) uses.push(use);
  }
  return uses;
}
