import { endSession } from '../agents/end-session.js';
import { unreachable } from '../lib/unreachable.js';
import { claimEntry, handEntry, markerOf, parseClaim, parseHand, parseReaping, parseStuck, pitEntry } from '../protocol/names.js';
import type { CleanupPorts, CleanupSetting } from './ports.js';
import type { Specialist, Step } from './specialist.js';

/*
 * Processes that bear this pit's mark and that no live claim owns: what an agent left behind when its snake, its claim and its
 * pit were gone before it, a development server for example.
 *
 *   bears our mark? ─no─► not ours, whatever its name
 *     │ yes, and which claim's?
 *     ├─ claimed, reaping, a resident's ─► its owner ends it
 *     ├─ stuck ─► refused: a person was told of it
 *     ├─ a person's command ─► lives: its own; dead: as below
 *     └─ none ─► TERM, grace, KILL, until two looks find nothing
 */

const UNOWNED = 'they bear this pit\'s mark, and no claim owns them';
const ABANDONED = 'the command that started them is dead';

/** Who owns the processes of a marker, as far as the queue says. */
export type Ownership = 'owned' | 'stuck' | 'nobody' | 'abandoned' | 'unnamed';

/** Pure: what is done with the processes of one marker. */
export function decideOrphans(marker: string, ownership: Ownership, pids: readonly number[]): Step {
  const evidence = `pid ${pids.slice(0, 8).join(', ')}${pids.length > 8 ? ` and ${pids.length - 8} more` : ''}`;
  const step = { specialist: 'orphans', subject: marker, evidence, target: marker } as const;
  switch (ownership) {
    case 'owned':
      return { ...step, kind: 'keep', verb: 'keep', rule: 'its claim stands: whoever holds it ends them' };
    case 'stuck':
      return { ...step, kind: 'refuse', verb: 'refuse', rule: 'its task is stuck because they could not be ended' };
    case 'unnamed':
      return { ...step, subject: 'processes', kind: 'refuse', verb: 'refuse', rule: 'they bear this pit\'s mark and no claim\'s: nobody can tell whose they are' };
    case 'nobody':
      return { ...step, kind: 'act', verb: 'end', rule: UNOWNED };
    case 'abandoned':
      return { ...step, kind: 'act', verb: 'end', rule: ABANDONED };
    default:
      return unreachable(ownership);
  }
}

async function ownershipOf({ files, processes }: CleanupPorts, { layout, residents }: CleanupSetting): Promise<(marker: string) => Promise<Ownership>> {
  const owned = new Set<string>(await residents());
  const stuck = new Set<string>();
  for (const file of await files.list(layout.dir('claimed'))) add(owned, parseClaim(file));
  for (const file of await files.list(layout.dir('reaping'))) add(owned, parseReaping(file));
  for (const file of await files.list(layout.dir('stuck'))) add(stuck, parseStuck(file));
  return async (marker) => {
    const hand = parseHand(marker);
    if (hand !== undefined) return (await processes.liveness(hand.by)) === 'dead' ? 'abandoned' : 'owned';
    return marker === '' ? 'unnamed' : owned.has(marker) ? 'owned' : stuck.has(marker) ? 'stuck' : 'nobody';
  };
}

function add(to: Set<string>, name: Parameters<typeof markerOf>[0] | undefined): void {
  if (name !== undefined) to.add(markerOf(name));
}

/** Processes first, claims second: a process is started under a claim that stands, so one whose claim is not there later has lost it. */
export const orphanHunter: Specialist = {
  name: 'orphans',
  does: 'ends processes that bear this pit\'s mark and that no claim owns any more',
  plan: async (ports, setting) => {
    const found = await ports.processes.markers(pitEntry(setting.pitId));
    const byHand = await ports.processes.markers(handEntry(setting.pitId));
    if (found === undefined || byHand === undefined) return [{ specialist: 'orphans', kind: 'refuse', verb: 'refuse', subject: 'processes', rule: 'unknown is not gone', evidence: 'the process table could not be read', target: '' }];
    const ownership = await ownershipOf(ports, setting);
    const steps: Step[] = [];
    for (const [marker, pids] of [...found, ...byHand]) steps.push(decideOrphans(marker, await ownership(marker), pids));
    return steps.filter(({ kind }) => kind !== 'keep');
  },
  apply: async (ports, setting, { subject, target }) => {
    const done = { specialist: 'orphans', subject } as const;
    const ownership = await (await ownershipOf(ports, setting))(target);
    if (ownership !== 'nobody' && ownership !== 'abandoned') return { ...done, kind: 'gone', told: 'a claim owns them again' };
    const mark = ownership === 'abandoned' ? handEntry(setting.pitId) : pitEntry(setting.pitId);
    const ended = await endSession(ports.processes, ports.clock, { entry: claimEntry(target), with: mark }, setting.config.graceMs);
    if (ended.kind === 'unknown') return { ...done, kind: 'refused', told: ended.evidence };
    if (ended.killed > 0) await ports.events.emit({ kind: 'orphans-ended', marker: target, rule: ownership === 'abandoned' ? ABANDONED : UNOWNED, killed: ended.killed });
    return ended.killed === 0 ? { ...done, kind: 'gone', told: 'they have gone' } : { ...done, kind: 'done', told: `${ended.killed} ended` };
  },
};
