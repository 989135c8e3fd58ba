import { basename, join } from 'node:path';
import type { Config } from '../../config/config.js';
import { historySlices } from '../../events/history.js';
import { LedgerReader } from '../../ledger/book.js';
import { amount } from '../../ledger/decide.js';
import { NOTHING_SPENT, UNITS, type Limits, type Spent } from '../../ledger/budget.js';
import { addPriced, newSum, priceEntry, type Sum } from '../../ledger/sum.js';
import { archivedMonths } from '../../queue/archive.js';
import { endedTasks, type EndedTask } from '../../queue/ended.js';
import { countStates } from '../../queue/directory-store.js';
import { monthOf } from '../../lib/month.js';
import { listState } from '../../queue/locate.js';
import { listRefusals } from '../../queue/refusals.js';
import { parkedAttempt } from '../../runs/answers.js';
import { poolLimited, PoolPurse } from '../../runs/pool-budget.js';
import { countTries } from '../../runs/decision.js';
import { pastAttempts } from '../../runs/run-dir.js';
import { nextStep } from '../../runs/next-step.js';
import { titleOf, whyOf } from '../../runs/story.js';
import { configInForce } from '../config-in-force.js';
import type { Context } from '../context.js';
import { whyNothingIsClaimed } from '../hindrance.js';
import { listDrops } from '../progress.js';
import type { EndedFact, EndedFacts, PersonFact, ReportFacts, UseFacts, UseRow } from './facts.js';
import { addEvent, newNight } from './night.js';

/** Of tasks that ended, so many of the newest are told of one by one: a longer list is read by nobody. */
const MOST = 200;
const TOP = 3;
const STORY_BYTES = 64 * 1024;

/** All that a report tells, of what happened since an instant and of what stands now. Wall clock, milliseconds. */
export async function observeReport(context: Context, from: number): Promise<ReportFacts> {
  const { files, layout, clock } = context;
  const to = clock.wallMs();
  const config = await configInForce(context);
  const night = newNight();
  for await (const events of historySlices(files, layout.events, { since: from })) for (const event of events) if (event.at >= from) addEvent(night, event);
  const counts = await countStates(files, layout);
  const inLine = counts.ready + counts.waiting + (await listDrops(files, layout)).length;
  const stuck: PersonFact[] = [];
  for (const { id, file } of await listState(files, layout, 'stuck')) stuck.push({ id, at: await files.mtimeMs(file), reason: 'stuck', what: night.stuck[id] ?? 'processes of its last attempt could not be shown to be gone' });
  return {
    from, to,
    done: await observeEnded(context, 'done', from),
    failed: await observeEnded(context, 'failed', from),
    refused: await listRefusals(files, layout),
    asks: await observeAsking(context),
    stuck,
    open: { running: counts.claimed + counts.reaping, inLine, held: counts.held },
    halted: inLine === 0 ? undefined : await whyNothingIsClaimed(context),
    night,
    use: await observeUse(context, config, from, to),
  };
}

/** Where tasks of a state lie that ended since: archived ones too, where the time goes back that far. */
async function listEnded({ files, layout }: Context, state: 'done' | 'failed', from: number): Promise<EndedTask[]> {
  const ended = await endedTasks(files, layout.dir(state), await files.list(layout.dir(state)));
  if (state === 'failed') return ended;
  const known = new Set(ended.map(({ id }) => id));
  for (const month of await archivedMonths(files, layout)) {
    if (month < monthOf(from)) break;
    const dir = join(layout.archive, month);
    ended.push(...(await endedTasks(files, dir, await files.list(dir))).filter(({ id }) => !known.has(id)));
  }
  return ended.sort((a, b) => b.at - a.at);
}

async function observeEnded(context: Context, state: 'done' | 'failed', from: number): Promise<EndedFacts> {
  const all = await listEnded(context, state, from);
  const within = all.filter(({ at }) => at >= from);
  const tasks: EndedFact[] = [];
  for (const task of within.slice(0, MOST)) tasks.push(await observeOne(context, state, task));
  return { count: within.length, before: all.length - within.length, tasks };
}

/** By its records; of what was never tried only its story tells. */
async function observeOne({ files, layout }: Context, state: 'done' | 'failed', { id, file, at }: EndedTask): Promise<EndedFact> {
  const story = (await files.read(join(file, '..', `${basename(file, '.md')}.result.md`), STORY_BYTES)) ?? '';
  const attempts = await pastAttempts(files, layout, id);
  const last = attempts.at(-1)?.record;
  const untried = last === undefined || last.next.kind !== state;
  const why = state === 'done' ? undefined : ((untried ? whyOf(story) : undefined) ?? (last?.next.kind === 'failed' ? last.next.why : 'its records are gone'));
  const { changes } = last ?? {};
  return {
    id, at, why,
    title: titleOf(story) ?? '',
    attempts: countTries(attempts.map(({ record }) => record)),
    next: state === 'done' ? undefined : nextStep(id, last?.outcome, untried ? why : undefined),
    says: state === 'done' && last?.outcome.kind === 'done' && last.outcome.message !== '' ? last.outcome.message : undefined,
    branch: changes?.branch,
    size: changes === undefined ? undefined : { files: changes.fileCount, added: changes.added, removed: changes.removed },
    merge: state === 'done' ? last?.merge : undefined,
  };
}

async function observeAsking({ files, layout }: Context): Promise<PersonFact[]> {
  const found: PersonFact[] = [];
  for (const { id } of await listState(files, layout, 'needs')) {
    const record = (await parkedAttempt(files, layout, id))?.record;
    const { outcome } = record ?? {};
    found.push(outcome?.kind === 'parked' ? { id, at: record?.endedAt, reason: outcome.reason, what: outcome.detail } : { id, at: undefined, reason: '', what: '' });
  }
  return found;
}

async function observeUse({ files, layout }: Context, config: Config, from: number, to: number): Promise<UseFacts> {
  const total = newSum();
  const [profiles, accounts, tasks] = [new Map<string, Sum>(), new Map<string, Sum>(), new Map<string, Sum>()];
  await new LedgerReader(files, layout, from).read((entry) => {
    const money = priceEntry(entry, config.priceLists);
    addPriced(total, entry, money);
    for (const [sums, name] of [[profiles, entry.profile], [accounts, entry.account], ...(entry.kind === 'task' ? [[tasks, entry.id] as const] : [])] as const) {
      let sum = sums.get(name);
      if (sum === undefined) sums.set(name, (sum = newSum()));
      addPriced(sum, entry, money);
    }
  });
  const rows = (sums: Map<string, Sum>, by: (sum: Sum) => number): UseRow[] => [...sums].map(([name, sum]) => ({ name, sum })).sort((a, b) => by(b.sum) - by(a.sum) || (a.name < b.name ? -1 : 1));
  const dear = (sum: Sum): number => sum.usd;
  // Without a limit nothing is told of it, and the ledger need not be read a second time.
  const { day, ever } = poolLimited(config) ? await new PoolPurse(files, layout).look(config, to) : { day: NOTHING_SPENT, ever: NOTHING_SPENT };
  return {
    total,
    profiles: rows(profiles, dear),
    accounts: rows(accounts, dear),
    longest: rows(tasks, (sum) => sum.ms).slice(0, TOP),
    dearest: rows(tasks, dear).filter(({ sum }) => sum.usd > 0).slice(0, TOP),
    budgets: [...budgetWords('today', config.budget.day, day), ...budgetWords('of the pit', config.budget.pit, ever)],
  };
}

function budgetWords(what: string, limits: Limits, spent: Spent): string[] {
  return UNITS.flatMap((unit) => {
    const limit = limits[unit];
    return limit === undefined ? [] : [`budget ${what}: ${amount(unit, spent[unit])} of ${amount(unit, limit)}`];
  });
}
