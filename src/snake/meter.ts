import { join } from 'node:path';
import type { AgentProfile } from '../agents/profile.js';
import { RUN_FILES, type AttemptRecord, type UsageRecord } from '../protocol/records.js';
import { allTokens, sumTokens, tokensSince, type TokenRecord } from '../protocol/tokens.js';
import type { Claim } from '../queue/store.js';
import { countedBefore } from '../runs/count-run.js';
import { sessionDir } from '../runs/flow-record.js';
import { SessionGauge, sourceOf } from '../runs/gauge.js';
import { runDirOf } from '../runs/run-dir.js';
import { lookAtBudget, tellsFirst } from '../runs/task-budget.js';
import { readSpec } from '../runs/task-copy.js';
import type { SnakePorts, SnakeSetting } from './ports.js';
import type { AttemptView } from './state.js';

/** Between two looks at what a session has used. */
const METER_EVERY_MS = 2000;

/** What is metered of one session. */
interface Metered {
  readonly gauge: SessionGauge;
  readonly before: readonly TokenRecord[] | undefined;
  written: number;
}

/**
 * Keeps beside a run what its session has used so far, from the program's own records, read as they grow. A guide for budgets and for people: what
 * counts is counted at the end (runs/count-run.ts). Lost with its snake, and found again from the files.
 */
export class SessionMeter {
  private metered: Metered | undefined;
  private lookedMonoMs = Number.NEGATIVE_INFINITY;

  /** One look, where it is time for one and the session runs. */
  async look(ports: SnakePorts, setting: SnakeSetting, claim: Claim, view: AttemptView): Promise<void> {
    const { attempt } = view;
    if (!view.held || attempt === undefined || view.session === undefined || view.exit !== undefined || view.stop !== undefined || view.outcome !== undefined) return;
    if (ports.clock.monoMs() - this.lookedMonoMs < METER_EVERY_MS) return;
    this.lookedMonoMs = ports.clock.monoMs();
    const profile = (await setting.profiles())[attempt.profile];
    const dir = sessionDir(runDirOf(setting.layout, claim.name), view.flow);
    if (profile !== undefined) await this.measure(ports, setting, claim, dir, attempt, profile, (attempt.resumed ? undefined : view.agent?.session) ?? attempt.session);
    if (view.budget?.kind === 'near') await tellBudgetOf(ports, setting, claim, dir);
  }

  private async measure(ports: SnakePorts, setting: SnakeSetting, claim: Claim, dir: string, attempt: AttemptRecord, profile: AgentProfile, session: string): Promise<void> {
    const from = sourceOf(profile, attempt.mode);
    if (from === undefined) return;
    if (this.metered?.gauge.dir !== dir || this.metered.gauge.session !== session) {
      const before = attempt.resumed && from.kind === 'transcript' ? await countedBefore(ports.files, setting.layout, claim.name.id, dir, session) : [];
      this.metered = { gauge: new SessionGauge(from, dir, attempt.home, session), before, written: -1 };
    }
    const { metered } = this;
    // A session of which nothing is known from before: what came to it cannot be told.
    if (metered.before === undefined) return;
    const whole = await metered.gauge.look(ports.files, ports.clock);
    const added = whole === undefined ? undefined : tokensSince(sumTokens(metered.before), whole);
    if (added === undefined || allTokens(added) === metered.written) return;
    metered.written = allTokens(added);
    await ports.files.write(join(dir, RUN_FILES.usage), `${JSON.stringify({ v: 1, at: ports.clock.wallMs(), tokens: added } satisfies UsageRecord)}\n`);
  }
}

/** Looks at the budget of the task of a run, and tells. */
export async function tellBudgetOf(ports: SnakePorts, setting: SnakeSetting, claim: Claim, dir: string): Promise<void> {
  const spec = await readSpec(ports.files, dir);
  if (spec !== undefined) await tellBudget(ports, setting, claim, await lookAtBudget(ports.files, setting.layout, setting.config, claim.name, spec, ports.clock.wallMs()));
}

/** Tells once that the budget of a task is nearly spent, and once that it is. */
export async function tellBudget({ files, events }: SnakePorts, { layout }: SnakeSetting, claim: Claim, budget: Awaited<ReturnType<typeof lookAtBudget>>): Promise<void> {
  if (budget === undefined || budget.verdict.kind === 'within' || !(await tellsFirst(files, layout, claim.name, budget))) return;
  const { kind, unit, rule, evidence } = budget.verdict;
  await events.emit({ kind: kind === 'near' ? 'budget-warned' : 'budget-reached', id: claim.name.id, unit, rule, evidence });
}
