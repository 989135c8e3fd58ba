import { basename, dirname, relative } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { parseEvents } from '../events/event-log.js';
import { packedPath, partPath, partsOf, readPart, type Part } from '../events/parts.js';
import { formatDuration } from '../lib/duration.js';
import { openForWriting } from '../lib/linux-processes.js';
import type { CleanupPorts, CleanupSetting } from './ports.js';
import type { Applied, Specialist, Step } from './specialist.js';
import { untold } from './untold.js';

/*
 * events.jsonl ──rotate (one rename)──► part ──pack (compressed beside, compared, then removed)──► part.gz ──remove──►
 *
 * Killed between any two writes, the next round finds the same step again. Nothing is written into a log here but new lines.
 */

/** A writer opens the log and writes its line within milliseconds; whoever follows reads a former part to its end in this time. */
const REST_MS = 60_000;
const FIRST_LINE = 16 * 1024;

const isoOf = (ms: number): string => new Date(ms).toISOString();

/** Why the log is to be rotated now; undefined where it is not. An empty one never is. */
async function rotation({ files, clock }: CleanupPorts, { layout, config }: CleanupSetting): Promise<{ rule: string; evidence: string; bytes: number } | undefined> {
  const { bytes, everyMs } = config.eventLog;
  const size = (await files.inspect(layout.events))?.size ?? 0;
  if (size === 0) return undefined;
  if (size >= bytes) return { rule: `it is longer than event-log.bytes (${bytes})`, evidence: `${size} bytes`, bytes: size };
  const first = parseEvents(Buffer.from(await files.readFrom(layout.events, 0, FIRST_LINE)).toString('utf8'))[0];
  if (first === undefined || clock.wallMs() - first.at < everyMs) return undefined;
  return { rule: `it was begun longer ago than event-log.every (${formatDuration(everyMs)})`, evidence: `its first line is of ${isoOf(first.at)}`, bytes: size };
}

async function planLogs(ports: CleanupPorts, setting: CleanupSetting): Promise<Step[]> {
  const { files, clock } = ports;
  const { layout, config } = setting;
  const step = (verb: string, path: string, rule: string, evidence: string): Step => ({ specialist: 'log-keeper', kind: 'act', verb, subject: relative(layout.root, path), rule, evidence, target: path });
  const steps: Step[] = [];
  for (const part of await partsOf(files, layout.events)) {
    const age = clock.wallMs() - part.rotatedAt;
    const evidence = `it was rotated away at ${isoOf(part.rotatedAt)}`;
    if (age >= config.eventLog.keepMs) steps.push(step('remove', part.path, `older than event-log.keep (${formatDuration(config.eventLog.keepMs)})`, evidence));
    else if (!part.packed && age >= REST_MS && !isOpen(part)) steps.push(step('pack', part.path, 'nobody writes it any more', evidence));
  }
  const due = await rotation(ports, setting);
  if (due !== undefined) steps.push(step('rotate', layout.events, due.rule, due.evidence));
  return steps;
}

const isOpen = ({ path }: Part): boolean => openForWriting([Buffer.from(path)]).size > 0;

async function rotate(ports: CleanupPorts, setting: CleanupSetting): Promise<Pick<Applied, 'kind' | 'told'>> {
  const { files, clock, events } = ports;
  const { layout } = setting;
  const due = await rotation(ports, setting);
  if (due === undefined) return { kind: 'gone', told: 'it has been rotated' };
  // What a former part does not tell is not looked for again: see `untold`.
  if ((await untold(ports, setting)).length > 0) return { kind: 'gone', told: 'left for the next round: the reconciler has something to add first' };
  const last = (await partsOf(files, layout.events)).at(-1)?.rotatedAt ?? 0;
  const path = partPath(layout.events, Math.max(clock.wallMs(), last + 1));
  if ((await files.rename(layout.events, path)) === 'missing') return { kind: 'gone', told: 'it has gone' };
  await files.syncDir(dirname(path));
  await events.emit({ kind: 'log-rotated', part: basename(path), bytes: due.bytes, rule: due.rule, evidence: due.evidence });
  return { kind: 'done', told: `now ${relative(layout.root, path)}, and begun anew` };
}

/** The compressed bytes are on disk, and read back, before the plain ones go. */
async function pack({ files }: CleanupPorts, part: Part): Promise<Pick<Applied, 'kind' | 'told'>> {
  if (isOpen(part)) return { kind: 'gone', told: 'somebody has it open: next time' };
  const plain = await readPart(files, part);
  if (plain === undefined) return { kind: 'gone', told: 'it has gone' };
  const to = packedPath(part);
  await files.write(to, gzipSync(plain));
  await files.syncDir(dirname(to));
  const packed = await files.readBytes(to, plain.length + 1024 * 1024);
  if (packed === undefined || !gunzipSync(packed).equals(plain)) return { kind: 'refused', told: `${basename(to)} does not hold what was written into it; ${basename(part.path)} is kept: look after the disk` };
  // Between the look and the reading a line might have come: then it is packed anew, and the plain one counts until then.
  if ((await files.inspect(part.path))?.size !== plain.length) return { kind: 'gone', told: 'it has grown: next time' };
  await files.remove(part.path);
  return { kind: 'done', told: `now ${basename(to)}, ${packed.length} bytes instead of ${plain.length}` };
}

async function apply(ports: CleanupPorts, setting: CleanupSetting, { verb, target }: Step): Promise<Pick<Applied, 'kind' | 'told'>> {
  if (verb === 'rotate') return rotate(ports, setting);
  const part = (await partsOf(ports.files, setting.layout.events)).find(({ path }) => path === target);
  if (part === undefined) return { kind: 'gone', told: 'it has gone' };
  if (verb === 'pack') return pack(ports, part);
  // The packed one first: were the plain one gone before it, the part would seem to be back.
  for (const path of [packedPath(part), part.path]) if (await ports.files.exists(path)) await ports.files.remove(path);
  return { kind: 'done', told: 'removed' };
}

/** The event log's parts: made, compressed, and removed after their time. */
export const logKeeper: Specialist = {
  name: 'log-keeper',
  does: 'rotates the event log, compresses its former parts and removes those older than event-log: keep',
  plan: planLogs,
  apply: async (ports, setting, step) => ({ specialist: 'log-keeper', subject: step.subject, ...(await apply(ports, setting, step)) }),
};
