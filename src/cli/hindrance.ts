import { statfsSync } from 'node:fs';
import type { Config } from '../config/config.js';
import { parseJson } from '../protocol/records.js';
import type { BudgetVerdict } from '../ledger/decide.js';
import { listHindered, type Hindered } from '../runs/hindered.js';
import { PoolPurse } from '../runs/pool-budget.js';
import { diskWhy, readDisk } from '../workspace/disk.js';
import { explainWaiting } from '../queue/promote.js';
import { readSnapshot, livePit, type Context } from './context.js';
import { listDrops } from './progress.js';

/** Why nothing can move although something is open, with the way out; undefined while something may. */
export async function hindrance(context: Context, ids: readonly string[]): Promise<string | undefined> {
  const { files, layout, clock } = context;
  const count = async (state: 'ready' | 'claimed' | 'reaping' | 'waiting'): Promise<number> => (await files.list(layout.dir(state))).length;
  if ((await count('claimed')) + (await count('reaping')) > 0 || (await livePit(context)) === undefined) return undefined;
  const ready = await count('ready');
  if (ready > 0) return whyNothingIsClaimed(context);
  if ((await count('waiting')) === 0 || (await listDrops(files, layout)).length > 0) return undefined;
  const verdicts = await explainWaiting(files, layout, clock.wallMs());
  const stuck = [...verdicts].filter(([, verdict]) => verdict.kind === 'not-yet' && (verdict.missing?.length ?? 0) > 0);
  const timed = [...verdicts.values()].some((verdict) => verdict.kind === 'ready' || (verdict.kind === 'not-yet' && verdict.why.startsWith('not before')));
  const [first] = ids.length === 0 ? stuck : stuck.filter(([id]) => ids.includes(id));
  if (first !== undefined && !timed) return `${first[0]} ${first[1].why}${stuck.length > 1 ? `, and ${stuck.length - 1} more so` : ''}; add what is missing, or: snakepit cancel ${first[0]}`;
  return undefined;
}

/**
 * What keeps every snake from claiming, with the way out; undefined: nothing does. `known`: the budget's verdict, for who looks every
 * second and need not read the ledger again.
 */
export async function whyNothingIsClaimed(context: Context, known?: BudgetVerdict): Promise<string | undefined> {
  const { files, layout } = context;
  if (await files.exists(layout.paused)) return 'paused: nothing is claimed; go on with: snakepit resume';
  if ((await livePit(context)) === undefined) return 'no pit is running; start it with: snakepit up';
  const snapshot = await readSnapshot(context);
  if (snapshot === undefined) return 'the pit is starting';
  if (snapshot.mode !== 'run') return 'the pit is going down: nothing more is claimed; go on with: snakepit up';
  if (snapshot.wanted === 0) return 'the pit has no snakes; give it some: snakepit up -n 4';
  if (snapshot.snakes.every((row) => row.state === 'broken')) return 'all snakes are broken; why: snakepit status';
  const waits = await listHindered(files, context.processes, layout);
  const [first] = waits;
  if (first !== undefined && (first.who === 'pit' || waits.length >= snapshot.wanted)) return hinderedLine(first);
  // As the pit published it: what the snakes go by.
  const config = parseJson<Config>(await files.read(layout.activeConfig));
  const floor = config?.minFreeBytes ?? 0;
  const disk = statfsSync(layout.state);
  if (disk.bavail * disk.bsize < floor) return `less than min-free (${floor} bytes) is free on the disk: nothing is claimed`;
  const full = diskWhy(await readDisk(files, layout), config?.diskBytes);
  if (full !== undefined) return full;
  const verdict = known ?? (config?.budget === undefined ? undefined : await new PoolPurse(files, layout).verdict(config, context.clock.wallMs()));
  return verdict?.kind === 'reached' ? `${verdict.rule} (${verdict.evidence}): nothing is claimed; raise it under budget: in snakepit.yaml` : undefined;
}

/** For a person: who waits, for what, and the way out. */
export const hinderedLine = ({ who, why }: Hindered): string => `${who === 'pit' ? 'the pit' : who} cannot go on, and waits: ${why}`;
