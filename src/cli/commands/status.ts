import type { Config } from '../../config/config.js';
import { hasLimit, UNITS, type Limits, type Spent } from '../../ledger/budget.js';
import { amount, type BudgetVerdict } from '../../ledger/decide.js';
import { PoolPurse, verdictOf } from '../../runs/pool-budget.js';
import { configInForce } from '../config-in-force.js';
import { formatDuration } from '../../lib/duration.js';
import { QUEUE_STATES } from '../../protocol/layout.js';
import { countStates } from '../../queue/directory-store.js';
import { listState } from '../../queue/locate.js';
import { summarizeRecurring, type RecurringSummary } from '../../recurring/summary.js';
import { countRefusals } from '../../queue/refusals.js';
import { livePit, openContext, print, printJson, readSnapshot, type Context } from '../context.js';
import { hinderedLine } from '../hindrance.js';
import { listHindered, type Hindered } from '../../runs/hindered.js';
import { coolingAccounts, coolingWords, type CoolingAccount } from '../cooling.js';
import { setupTroubles } from '../setup-why.js';
import { stateWord } from '../state-word.js';
import { projectDir } from '../../workspace/ground.js';
import { turnHolder } from '../../workspace/turn.js';
import { diskWhy, readDisk } from '../../workspace/disk.js';
import { recurringLine } from '../recurring-line.js';
import { paint, paintState, table } from '../style.js';
import type { ResidentRow } from '../../protocol/snapshot.js';
import { parseClaim } from '../../protocol/names.js';
import { basename } from 'node:path';

export interface StatusFacts {
  readonly pit: { readonly pid: number; readonly mode: string; readonly upMs: number | undefined } | undefined;
  readonly paused: boolean;
  /** The pit's tmux server did not answer at its last look: sessions are neither started nor looked at. */
  readonly tmuxSilent: boolean;
  /** Who of the pit and its snakes waits for the machine: a full disk, a right that was taken away. */
  readonly hindered: readonly Hindered[];
  /** Set-up commands of worktrees that fail now, in words. */
  readonly setUps: readonly string[];
  /** The task whose turn it is to work the project itself (`workspace: repo`). */
  readonly turn: string | undefined;
  /** Why the disk budget keeps snakes from claiming. */
  readonly disk: string | undefined;
  readonly configProblem: string | undefined;
  readonly snakes: readonly { snake: string; state: string; pid: number | undefined; task: string | undefined; forMs: number | undefined; why: string | undefined }[];
  readonly residents: readonly (Omit<ResidentRow, 'since' | 'nextAt'> & { readonly forMs: number | undefined; readonly nextMs: number | undefined })[];
  readonly counts: Readonly<Record<string, number>>;
  /** Dropped files that were not taken in and not mended yet. */
  readonly refused: number;
  /** Provider accounts that do not take every task now. */
  readonly accounts: readonly CoolingAccount[];
  readonly recurring: RecurringSummary;
  /** What was used today, against the limits of a day and of all time. */
  readonly used: { readonly day: Spent; readonly ever: Spent | undefined; readonly budget: Config['budget']; readonly verdict: BudgetVerdict };
}

export async function gatherStatus(context: Context): Promise<StatusFacts> {
  const { files, layout, clock } = context;
  const config = await configInForce(context);
  const pit = await livePit(context);
  const snapshot = await readSnapshot(context);
  const claims = (await listState(files, layout, 'claimed')).flatMap((task) => parseClaim(basename(task.file)) ?? []);
  const rows = new Map((snapshot?.snakes ?? []).map((row) => [row.snake, { snake: row.snake, state: pit === undefined ? 'no pit' : row.state, pid: row.pid, why: row.why }]));
  for (const claim of claims) if (!rows.has(claim.owner.snake)) rows.set(claim.owner.snake, { snake: claim.owner.snake, state: 'unmanaged', pid: claim.owner.pid, why: undefined });
  const snakes = [];
  for (const row of rows.values()) {
    const claim = claims.find((one) => one.owner.snake === row.snake);
    const attempt = claim === undefined ? undefined : await startedAt(context, claim);
    snakes.push({ ...row, task: claim?.id, forMs: attempt === undefined ? undefined : clock.wallMs() - attempt });
  }
  return {
    pit: pit === undefined ? undefined : { pid: pit.pid, mode: snapshot?.mode ?? 'starting', upMs: snapshot === undefined ? undefined : clock.wallMs() - snapshot.startedAt },
    paused: await files.exists(layout.paused),
    hindered: await listHindered(files, context.processes, layout),
    setUps: await setupTroubles(context),
    disk: diskWhy(await readDisk(files, layout), config.diskBytes),
    turn: await turnNow(context, config),
    tmuxSilent: pit !== undefined && snapshot?.tmux === 'unknown',
    configProblem: pit === undefined ? undefined : snapshot?.configProblem,
    snakes,
    residents: (pit === undefined ? [] : (snapshot?.residents ?? [])).map(({ since, nextAt, ...row }) => ({ ...row, forMs: since === undefined ? undefined : clock.wallMs() - since, nextMs: nextAt === undefined ? undefined : nextAt - clock.wallMs() })),
    counts: await countStates(files, layout),
    refused: await countRefusals(files, layout),
    accounts: await coolingAccounts(context),
    recurring: await summarizeRecurring(files, layout),
    used: await usedNow(context, config),
  };
}

async function turnNow({ files, layout }: Context, config: Config): Promise<string | undefined> {
  const holder = await turnHolder(files, layout, projectDir(layout, config.repo));
  return holder?.slice(0, holder.indexOf('~'));
}

async function usedNow({ files, layout, clock }: Context, config: Config): Promise<StatusFacts['used']> {
  const { day, ever } = await new PoolPurse(files, layout).look(config, clock.wallMs());
  return { day, ever: hasLimit(config.budget.pit) ? ever : undefined, budget: config.budget, verdict: verdictOf(config, { day, ever }) };
}

/** "today: 1,200,000 of 2,000,000 tokens, $3.20 of $20.00"; undefined where nothing was used and there is no limit. */
export function usedLine({ day, ever, budget, verdict }: StatusFacts['used']): string | undefined {
  const part = (spent: Spent, limits: Limits): string =>
    UNITS.filter((unit) => unit !== 'minutes' || limits.minutes !== undefined)
      .map((unit) => `${amount(unit, spent[unit])}${unit === 'money' && spent.unpriced > 0 ? ' + unknown' : ''}${limits[unit] === undefined ? '' : ` of ${amount(unit, limits[unit] ?? 0)}`}`)
      .join(', ');
  if (day.tokens === 0 && day.unpriced === 0 && !hasLimit(budget.day) && ever === undefined) return undefined;
  const line = `today: ${part(day, budget.day)}${ever === undefined ? '' : `; in all: ${part(ever, budget.pit)}`}`;
  return verdict.kind === 'reached' ? `${line}; ${verdict.rule}: nothing is claimed` : line;
}

async function startedAt({ files, layout }: Context, claim: NonNullable<ReturnType<typeof parseClaim>>): Promise<number | undefined> {
  const { readAttempt } = await import('../../runs/run-dir.js');
  const { currentRun } = await import('../../runs/steps.js');
  return (await readAttempt(files, (await currentRun(files, layout, claim)).dir))?.startedAt;
}

export function renderStatus(facts: StatusFacts): string {
  const lines = [];
  const { pit } = facts;
  if (pit === undefined) lines.push(paint('yellow', 'no pit is running') + '; start it with: snakepit up');
  else lines.push(`pit ${pit.pid}, ${pit.mode === 'run' ? '' : pit.mode === 'starting' ? 'starting, ' : `going down (${pit.mode}), `}up${pit.upMs === undefined ? '' : ` for ${formatDuration(pit.upMs)}`}`);
  if (facts.paused) lines.push(paint('yellow', 'paused: nothing is claimed; go on with: snakepit resume'));
  if (facts.tmuxSilent) lines.push(paint('yellow', 'tmux does not answer: what runs goes on, nothing new starts; is its server stopped (ps), or the machine overloaded?'));
  for (const one of facts.hindered) lines.push(paint('red', hinderedLine(one)));
  if (facts.disk !== undefined) lines.push(paint('yellow', facts.disk));
  if (facts.turn !== undefined) lines.push(`the project itself (workspace: repo) is worked by ${facts.turn}; others wait for their turn`);
  if (facts.configProblem !== undefined) lines.push(paint('red', `${facts.configProblem} (the last good configuration stays in force)`));
  const counts = QUEUE_STATES.filter((state) => (facts.counts[state] ?? 0) > 0 || ['ready', 'claimed', 'done', 'failed'].includes(state)).map((state) => `${paintState(stateWord(state))} ${facts.counts[state] ?? 0}`);
  lines.push([...counts, ...(facts.refused === 0 ? [] : [`${paintState('refused')} ${facts.refused}`])].join('   '));
  for (const one of facts.accounts) lines.push(paint('yellow', `account ${one.account}: ${coolingWords(one, Date.now())}`));
  for (const one of facts.setUps) lines.push(paint('yellow', one));
  const used = usedLine(facts.used);
  if (used !== undefined) lines.push(facts.used.verdict.kind === 'within' ? used : paint('yellow', used));
  if (facts.recurring.templates > 0) lines.push(recurringLine(facts.recurring, Date.now()));
  if (facts.snakes.length > 0) {
    const rows = facts.snakes.map((row) => [row.snake, row.state === 'up' && row.task === undefined ? 'idle' : row.state === 'up' ? 'working' : row.state, row.task ?? '', row.forMs === undefined ? '' : formatDuration(Math.max(0, row.forMs)), row.why ?? '']);
    lines.push('', table([['SNAKE', 'STATE', 'TASK', 'FOR', ''], ...rows], (cell, _column, row) => (row === 0 ? paint('dim', cell) : cell)));
  }
  if (facts.residents.length > 0) {
    const span = (ms: number | undefined): string => (ms === undefined ? '' : formatDuration(Math.max(0, ms)));
    const rows = facts.residents.map((row) => [row.resident, row.state, row.kind, span(row.forMs), row.nextMs === undefined ? '' : row.nextMs <= 0 ? 'due' : `in ${span(row.nextMs)}`, row.why ?? '']);
    lines.push('', table([['RESIDENT', 'STATE', 'KIND', 'FOR', 'NEXT', ''], ...rows], (cell, _column, row) => (row === 0 ? paint('dim', cell) : cell)));
  }
  return lines.join('\n');
}

export async function status(dir: string | undefined, options: { json?: boolean }): Promise<void> {
  const facts = await gatherStatus(openContext(dir));
  if (options.json === true) printJson(facts);
  else print(renderStatus(facts));
}
