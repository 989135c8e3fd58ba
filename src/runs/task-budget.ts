import { join } from 'node:path';
import type { Config } from '../config/config.js';
import { hasLimit, NOTHING_SPENT, parseRaise, plusSpent, raised, type Limits, type Spent } from '../ledger/budget.js';
import { decideBudget, type BudgetVerdict } from '../ledger/decide.js';
import type { Files } from '../lib/files.js';
import { attemptOf, type ClaimName } from '../protocol/names.js';
import type { Layout } from '../protocol/layout.js';
import { parseExit, parseJson, RUN_FILES } from '../protocol/records.js';
import type { TaskSpec } from '../protocol/task.js';
import { isBudgetPark, readAnswer } from './answers.js';
import { spentOf } from './spent.js';
import { pastAttempts, readAgent, readAttempt, runDirOf, sameLife, type PastAttempt } from './run-dir.js';
import { sessionDirs } from './steps.js';
import { readUsage } from './usage.js';

const MINUTE_MS = 60_000;

/** Where a task stands to what it may use up. */
export interface TaskBudget {
  readonly limits: Limits;
  readonly spent: Spent;
  readonly verdict: BudgetVerdict;
}

/** What the task's own file says, and the configuration where it says nothing of a kind. Pure. */
export function limitsOf({ budget }: Pick<Config, 'budget'>, spec: Pick<TaskSpec, 'budget'>): Limits {
  if (spec.budget === 'off') return {};
  // What an older snakepit published has none.
  const general = (budget as Config['budget'] | undefined)?.task ?? {};
  const own = spec.budget ?? {};
  return { tokens: own.tokens ?? general.tokens, money: own.money ?? general.money, minutes: own.minutes ?? general.minutes };
}

/** Where a task stands: all its attempts since its counters began, with all their steps, and the session that runs. Undefined: it has no limit. */
export async function lookAtBudget(files: Files, layout: Layout, config: Config, name: Pick<ClaimName, 'id' | 'counters' | 'nonce'>, spec: TaskSpec, nowMs: number): Promise<TaskBudget | undefined> {
  const asWritten = limitsOf(config, spec);
  if (!hasLimit(asWritten)) return undefined;
  const life = sameLife(await pastAttempts(files, layout, name.id), attemptOf(name.counters));
  const limits = await raisedBy(files, asWritten, life);
  if (!hasLimit(limits)) return undefined;
  let spent = NOTHING_SPENT;
  for (const { dir, record } of life) spent = plusSpent(spent, await spentIn(files, config, dir, record.endedAt));
  spent = plusSpent(spent, await spentIn(files, config, runDirOf(layout, name), nowMs));
  return { limits, spent, verdict: decideBudget('the task', limits, spent) };
}

/** The limits with all that was answered to the parks of this life. */
async function raisedBy(files: Files, limits: Limits, life: readonly PastAttempt[]): Promise<Limits> {
  let now = limits;
  for (const one of life) if (isBudgetPark(one)) now = raised(now, parseRaise((await readAnswer(files, one)) ?? '') ?? []);
  return now;
}

/** What the sessions of one attempt have used. `untilMs`: where nothing says when one ended. Of a program that names no figure only the time is known. */
async function spentIn(files: Files, { priceLists }: Config, base: string, untilMs: number): Promise<Spent> {
  let sum = NOTHING_SPENT;
  for (const dir of await sessionDirs(files, base)) {
    const attempt = await readAttempt(files, dir);
    // What stands in for a session between two steps has none.
    if (attempt === undefined || !(await files.exists(join(dir, RUN_FILES.session)))) continue;
    const endedAt = parseExit(await files.read(join(dir, RUN_FILES.exit)))?.endedAt ?? (await files.mtimeMs(join(dir, RUN_FILES.stop))) ?? untilMs;
    const ms = Math.max(0, endedAt - attempt.startedAt);
    const tokens = (await readAgent(files, dir))?.tokens ?? (await readUsage(files, dir))?.tokens;
    sum = plusSpent(sum, tokens === undefined ? { ...NOTHING_SPENT, minutes: ms / MINUTE_MS, unpriced: 1 } : spentOf(priceLists, tokens, attempt.account, endedAt, ms));
  }
  return sum;
}

interface Told {
  readonly v: 1;
  readonly key: string;
}

/** Whether this of its budget is told for the first time: once for each of near and reached, and again after it was raised. Written before it is told. */
export async function tellsFirst(files: Files, layout: Layout, name: Pick<ClaimName, 'id' | 'counters' | 'nonce'>, { limits, verdict }: TaskBudget): Promise<boolean> {
  if (verdict.kind === 'within') return false;
  const key = JSON.stringify([verdict.kind, limits]);
  const own = runDirOf(layout, name);
  const dirs = new Set([own, ...(await pastAttempts(files, layout, name.id)).map(({ dir }) => dir)]);
  for (const dir of dirs) if (parseJson<Told>(await files.read(join(dir, RUN_FILES.budgetTold)))?.key === key) return false;
  await files.makeDir(own);
  await files.write(join(own, RUN_FILES.budgetTold), `${JSON.stringify({ v: 1, key } satisfies Told)}\n`);
  return true;
}
