import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { PathError, type Files } from '../lib/files.js';
import { openForWriting } from '../lib/linux-processes.js';
import { show } from '../lib/text.js';
import type { TaskFault } from '../protocol/front-matter.js';
import type { Layout } from '../protocol/layout.js';
import { meantId } from '../queue/intake.js';
import { locate } from '../queue/locate.js';
import { isDropName, judgeDrop, type DropLook } from '../queue/settled.js';
import type { LastLook, RecurringRecord } from './state.js';
import { loadTemplate, type Template } from './template.js';

/** What one file in queue/recurring/ was found to be. `name` is what a refused one means to be called, as far as that can be seen. */
export type Sighting =
  | { readonly kind: 'good'; readonly template: Template }
  | { readonly kind: 'refused'; readonly name: string; readonly file: string; readonly content: string; readonly fault: TaskFault };

/** Files as they were read, and drops that are not settled, by path. */
export interface TemplateMemory {
  readonly read: Map<string, { readonly size: number; readonly mtimeMs: number; readonly limits: string; readonly sighting: Sighting }>;
  readonly looks: Map<string, DropLook>;
}

export interface Sightings {
  readonly list: readonly Sighting[];
  /** Files that are still being written: what they held before stays in force, and nothing is taken for gone. */
  readonly unsettled: number;
}

export interface TemplateLimits {
  readonly settleMs: number;
  readonly maxTaskBytes: number;
  /** The system's time zone. */
  readonly zone: string;
}

/** The system's time zone, as it was when this process started. */
export const systemZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Reads what is in queue/recurring/; a file that did not change is not read again. Changes nothing. `settings`: templates of the settings, which come first. */
export async function observeTemplates(files: Files, layout: Layout, memory: TemplateMemory, limits: TemplateLimits, now: { wallMs: number; monoMs: number }, settings: readonly Sighting[] = []): Promise<Sightings> {
  const key = `${limits.maxTaskBytes} ${limits.zone}`;
  const list: Sighting[] = [];
  const seen = new Set<string>();
  let unsettled = 0;
  for (const name of (await files.listBytes(layout.recurring)).sort(Buffer.compare)) {
    const path = Buffer.concat([Buffer.from(`${layout.recurring}/`), name]);
    const at = path.toString('latin1');
    const entry = isDropName(name) ? await files.inspect(path) : undefined;
    if (entry === undefined) continue;
    const verdict = judgeDrop(entry, memory.looks.get(at), now, limits.settleMs);
    if (verdict.kind === 'skip') continue;
    seen.add(at);
    const known = memory.read.get(at);
    if (verdict.kind === 'refuse') {
      list.push(refusedAs(name, undefined, { line: 1, problem: verdict.problem, fix: verdict.fix }));
      continue;
    }
    if (verdict.kind === 'wait') memory.looks.set(at, verdict.look);
    else if (known !== undefined && known.size === entry.size && known.mtimeMs === entry.mtimeMs && known.limits === key) {
      list.push(known.sighting);
      continue;
    }
    if (verdict.kind === 'wait' || openForWriting([path]).size > 0) {
      unsettled += 1;
      if (known?.sighting.kind === 'good') list.push(known.sighting);
      continue;
    }
    const sighting = await readTemplate(files, path, name, limits);
    if (sighting === undefined) continue;
    memory.read.set(at, { size: entry.size, mtimeMs: entry.mtimeMs, limits: key, sighting });
    list.push(sighting);
  }
  for (const map of [memory.read, memory.looks]) for (const at of map.keys()) if (!seen.has(at)) map.delete(at);
  return { list: refuseNamesakes([...settings, ...list]), unsettled };
}

async function readTemplate(files: Files, path: Buffer, name: Buffer, limits: TemplateLimits): Promise<Sighting | undefined> {
  let bytes: Uint8Array | undefined;
  try {
    bytes = await files.readBytes(path, limits.maxTaskBytes + 1);
  } catch (cause) {
    if (!(cause instanceof PathError) || (cause.code !== 'EACCES' && cause.code !== 'EPERM')) throw cause;
    return refusedAs(name, undefined, { line: 1, problem: `it cannot be read (${cause.code})`, fix: 'give its reader the right to: chmod u+r, or change its owner' });
  }
  if (bytes === undefined) return undefined;
  const loaded = await loadTemplate(bytes, name, limits);
  return loaded.ok ? { kind: 'good', template: loaded.value } : refusedAs(name, bytes, loaded.error);
}

function refusedAs(fileName: Buffer, bytes: Uint8Array | undefined, fault: TaskFault): Sighting {
  const content = createHash('sha256').update(bytes ?? '').update(fault.problem).digest('hex');
  return { kind: 'refused', name: meantId(bytes, fileName), file: show(fileName.toString('utf8')), content, fault };
}

/** Of several files that mean one name, the first in order has it. */
function refuseNamesakes(list: readonly Sighting[]): Sighting[] {
  const files = new Map<string, string>();
  return list.map((sighting) => {
    if (sighting.kind === 'refused') return sighting;
    const { name, file } = sighting.template;
    const first = files.get(name);
    if (first === undefined) {
      files.set(name, file);
      return sighting;
    }
    const fault: TaskFault = { line: 1, problem: `${first} is called ${name} already`, fix: 'give one of them another id:' };
    return { kind: 'refused', name, file, content: fault.problem, fault };
  });
}

/** Where the instance made last is. A file of its name in the drop zone is on its way back in. */
export async function lookAtLast(files: Files, layout: Layout, record: RecurringRecord | undefined): Promise<LastLook> {
  const id = record?.last?.id;
  if (id === undefined) return { kind: 'none' };
  if (await files.exists(join(layout.queue, `${id}.md`))) return { kind: 'open', id, state: 'queue' };
  const task = await locate(files, layout, id);
  if (task === undefined) return { kind: 'gone', id };
  return task.state === 'done' || task.state === 'failed' ? { kind: 'ended', id, state: task.state } : { kind: 'open', id, state: task.state };
}
