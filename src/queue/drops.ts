import { openForWriting } from '../lib/linux-processes.js';
import { take } from '../lib/baton.js';
import type { Processes } from '../lib/processes.js';
import { unreachable } from '../lib/unreachable.js';
import type { Layout } from '../protocol/layout.js';
import { parseClaim, parseReady, parseWaiting } from '../protocol/names.js';
import { beginRound, meantId, takeIn, type IntakePorts, type TaskJudge } from './intake.js';
import { refuse } from './refusals.js';
import { isDropName, judgeDrop, type DropLook } from './settled.js';
import { putAwayMended, putAwayStrays } from './stray-stories.js';

/** Where drops may lie: the zone itself, and files that a person put straight into a state directory under a foreign name. */
const ZONES = ['', 'ready', 'waiting', 'held', 'claimed'] as const;

/** Memory between looks, by path. */
export type DropMemory = Map<string, DropLook>;

/** How one look at the drop zones went; `waiting` drops were there but not settled yet, so look again soon. */
export interface DropRound {
  readonly taken: number;
  readonly refused: number;
  readonly waiting: number;
}

function isOurs(zone: (typeof ZONES)[number], name: string): boolean {
  switch (zone) {
    case '':
      return false;
    case 'ready':
    case 'held':
      return parseReady(name) !== undefined;
    case 'waiting':
      return parseWaiting(name) !== undefined;
    case 'claimed':
      return parseClaim(name) !== undefined;
    default:
      return unreachable(zone);
  }
}

/** Looks at the drop zones once and takes in or refuses what is settled. Safe to call from any process: rounds exclude each other. */
export async function takeInDrops(ports: IntakePorts & { processes: Processes }, layout: Layout, memory: DropMemory, limits: { settleMs: number; maxTaskBytes: number }, judge?: TaskJudge): Promise<DropRound> {
  const now = { wallMs: ports.clock.wallMs(), monoMs: ports.clock.monoMs() };
  const seen = new Set<string>();
  let waiting = 0;
  const settled: { dir: string; name: Buffer }[] = [];
  const refused: { dir: string; name: Buffer; problem: string; fix: string }[] = [];
  for (const zone of ZONES) {
    const dir = zone === '' ? layout.queue : layout.dir(zone);
    // A person may remove an empty directory; the pit goes on, and makes it again at its next start.
    for (const name of await ports.files.listBytes(dir)) {
      if (!isDropName(name) || isOurs(zone, name.toString('latin1'))) continue;
      const path = Buffer.concat([Buffer.from(`${dir}/`), name]);
      const key = path.toString('latin1');
      const entry = await ports.files.inspect(path);
      if (entry === undefined) continue;
      seen.add(key);
      const verdict = judgeDrop(entry, memory.get(key), now, limits.settleMs);
      if (verdict.kind === 'wait') {
        memory.set(key, verdict.look);
        waiting += 1;
      } else if (verdict.kind === 'settled') settled.push({ dir, name });
      else if (verdict.kind === 'refuse') refused.push({ dir, name, problem: verdict.problem, fix: verdict.fix });
    }
  }
  for (const key of memory.keys()) if (!seen.has(key)) memory.delete(key);
  await putAwayStrays(ports.files, layout, now.wallMs);
  if (settled.length === 0 && refused.length === 0) return { taken: 0, refused: 0, waiting };
  const lock = await take(ports.files, ports.processes, layout.locks.intake);
  if (lock.kind === 'held') return { taken: 0, refused: 0, waiting: waiting + settled.length };
  try {
    return await takeSettled(ports, layout, settled, refused, limits.maxTaskBytes, waiting, judge);
  } finally {
    await lock.release();
  }
}

async function takeSettled(ports: IntakePorts, layout: Layout, settled: readonly { dir: string; name: Buffer }[], refused: readonly { dir: string; name: Buffer; problem: string; fix: string }[], maxBytes: number, waiting: number, judge?: TaskJudge): Promise<DropRound> {
  for (const drop of refused) await refuse(ports, layout, drop.dir, drop.name, meantId(undefined, drop.name), { line: 1, ...drop }, true);
  const busy = openForWriting(settled.map(({ dir, name }) => Buffer.concat([Buffer.from(`${dir}/`), name])));
  const round = await beginRound(ports.files, layout);
  let taken = 0;
  let bad = refused.length;
  let still = waiting;
  for (const { dir, name } of settled) {
    if (busy.has(Buffer.concat([Buffer.from(`${dir}/`), name]).toString('latin1'))) {
      still += 1;
      continue;
    }
    const result = await takeIn(ports, layout, round, dir, name, maxBytes, { judge, held: dir === layout.dir('held') });
    if (result?.ok === true) taken += 1;
    else if (result !== undefined) bad += 1;
  }
  await putAwayMended(ports.files, layout);
  return { taken, refused: bad, waiting: still };
}
