import { join } from 'node:path';
import type { Config } from '../config/config.js';
import { LedgerReader } from '../ledger/book.js';
import { addEntry, newSum } from '../ledger/sum.js';
import { printUsd } from '../ledger/price.js';
import type { Files } from '../lib/files.js';
import { formatDuration } from '../lib/duration.js';
import type { Layout } from '../protocol/layout.js';
import { listState } from '../queue/locate.js';
import { countTries, lastTry } from '../runs/decision.js';
import { pastAttempts } from '../runs/run-dir.js';
import { describeOutcome, whyOf } from '../runs/story.js';
import type { FailedTask, WeekFacts } from './facts-words.js';

/** So many are told of: more than anybody judges in one sitting. */
const MOST = 50;
const WEEK_MS = 7 * 86_400_000;
const STORY_BYTES = 64 * 1024;

/** What ended, and when, newest first. The time is its story's, which is written anew each time it ends. */
export interface Ended {
  readonly id: string;
  readonly at: number;
}

/** All that lies in a directory of ended tasks, but for what specialists were: nobody judges himself. */
export async function listEnded(files: Files, layout: Layout, config: Config, state: 'done' | 'failed'): Promise<Ended[]> {
  const own = ownIds(config);
  const found: Ended[] = [];
  for (const { id, file } of await listState(files, layout, state)) {
    if (own(id)) continue;
    const at = (await files.mtimeMs(join(layout.dir(state), `${id}.result.md`))) ?? (await files.mtimeMs(file));
    if (at !== undefined) found.push({ id, at });
  }
  return found.sort((a, b) => b.at - a.at || (a.id < b.id ? -1 : 1));
}

/** Whether an id is one of a specialist's instances. */
function ownIds(config: Config): (id: string) => boolean {
  const names = new Set(Object.keys(config.specialists));
  return (id) => names.has(/^(.+)-\d{8}-\d{4}(?:\d\d)?b?$/.exec(id)?.[1] ?? '');
}

/** The newest of them with their reasons. */
export async function observeFailed(files: Files, layout: Layout, ended: readonly Ended[]): Promise<FailedTask[]> {
  const found: FailedTask[] = [];
  for (const { id, at } of ended.slice(0, MOST)) {
    const records = (await pastAttempts(files, layout, id)).map(({ record }) => record);
    const last = records.at(-1);
    const story = (await files.read(join(layout.dir('failed'), `${id}.result.md`), STORY_BYTES)) ?? '';
    const why = whyOf(story) ?? (last === undefined ? 'it was never tried' : describeOutcome(last.outcome));
    found.push({ id, attempts: countTries(records), failedAt: at, agent: lastTry(records)?.agent ?? '', why });
  }
  return found;
}

/** The last seven days; since an earlier specialist was told, where that is less. */
export async function observeWeek(files: Files, layout: Layout, config: Config, since: number | undefined, nowMs: number): Promise<WeekFacts> {
  const from = Math.max(nowMs - WEEK_MS, since ?? 0);
  const within = async (state: 'done' | 'failed'): Promise<Ended[]> => (await listEnded(files, layout, config, state)).filter(({ at }) => at >= from);
  const [done, failed] = [await within('done'), await within('failed')];
  const sum = newSum();
  await new LedgerReader(files, layout, from).read((entry) => addEntry(sum, entry, config.priceLists));
  const used = sum.counted === 0 ? [] : [`tokens: ${sum.input} in, ${sum.output} out, ${sum.cacheRead} from the cache, ${sum.cacheWrite} to the cache; ${printUsd(sum.usd)} by the list of prices${Object.keys(sum.unpriced).length === 0 ? '' : ', where one is known'}; ${formatDuration(sum.ms)} in ${sum.counted} attempts`];
  return { from, to: nowMs, done: done.slice(0, MOST).map(({ id }) => id), failed: await observeFailed(files, layout, failed), doneCount: done.length, failedCount: failed.length, used };
}
