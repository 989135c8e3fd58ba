import type { EventSink } from '../events/event-log.js';
import type { Files } from '../lib/files.js';
import type { Layout } from '../protocol/layout.js';
import { parseJson } from '../protocol/records.js';
import type { Sighting } from './observe.js';
import { sourceOf } from './state.js';

/** A template that was refused, by its file below queue/recurring/: where, what, and what to do. */
export interface RefusedTemplate {
  readonly content: string;
  readonly line: number;
  readonly problem: string;
  readonly fix: string;
}

export type RefusedTemplates = Readonly<Record<string, RefusedTemplate>>;

export async function readRefused(files: Files, layout: Layout): Promise<RefusedTemplates> {
  const value = parseJson<RefusedTemplates>(await files.read(layout.recurringRefused));
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

/** Tells each refused template once per content, and remembers what was told; a mended one is forgotten. */
export async function tellRefused({ files, events }: { readonly files: Files; readonly events: EventSink }, layout: Layout, list: readonly Sighting[]): Promise<void> {
  const before = await readRefused(files, layout);
  const refused = list.flatMap((one) => (one.kind === 'refused' ? [one] : []));
  const after: RefusedTemplates = Object.fromEntries(refused.map(({ file, content, fault }) => [file, { content, line: fault.line, problem: fault.problem, fix: fault.fix }]));
  if (JSON.stringify(after) === JSON.stringify(before)) return;
  await files.write(layout.recurringRefused, `${JSON.stringify(after)}\n`);
  for (const { file, content, fault } of refused) if (before[file]?.content !== content) await events.emit({ kind: 'task-refused', file: sourceOf(file), line: fault.line, problem: fault.problem, fix: fault.fix });
}
