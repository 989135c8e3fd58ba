import type { Entry } from '../lib/files.js';

/** What was seen of a drop at one look; `sinceMonoMs` is when it was first seen just so. */
export interface DropLook {
  readonly size: number;
  readonly mtimeMs: number;
  readonly sinceMonoMs: number;
}

export type DropVerdict =
  | { readonly kind: 'skip' }
  | { readonly kind: 'wait'; readonly look: DropLook }
  | { readonly kind: 'refuse'; readonly problem: string; readonly fix: string }
  | { readonly kind: 'settled' };

/** rename(2) may show two names for an instant, and careful writers publish by link and unlink: two names are borne this long. */
const LINK_PATIENCE_MS = 60_000;

/** Names that are never a task: hidden files, editors' and copy tools' droppings, anything but markdown. */
export function isDropName(name: Buffer): boolean {
  const text = name.toString('latin1');
  return /\.(md|markdown)$/i.test(text) && !/^(\.|#|~)/.test(text) && !text.endsWith('.result.md') && !text.endsWith('.question.md');
}

/**
 * Pure: whether a dropped file may be taken in now. Quiet for `settleMs` by its own modification time, or, where that lies
 * in the future or jumps, by our own monotonic clock. That nobody has it open for writing is asked separately, since it is dear.
 */
export function judgeDrop(entry: Entry, before: DropLook | undefined, now: { wallMs: number; monoMs: number }, settleMs: number): DropVerdict {
  if (entry.kind === 'directory') return { kind: 'skip' };
  if (entry.kind === 'link') return { kind: 'refuse', problem: 'it is a symbolic link', fix: 'drop a copy of the file' };
  if (entry.kind === 'other') return { kind: 'refuse', problem: 'it is not a regular file', fix: 'drop a regular markdown file' };
  const same = before !== undefined && before.size === entry.size && before.mtimeMs === entry.mtimeMs;
  const look: DropLook = { size: entry.size, mtimeMs: entry.mtimeMs, sinceMonoMs: same ? before.sinceMonoMs : now.monoMs };
  const quietMs = now.monoMs - look.sinceMonoMs;
  const ageMs = now.wallMs - entry.mtimeMs;
  if (entry.links > 1) return quietMs < LINK_PATIENCE_MS ? { kind: 'wait', look } : { kind: 'refuse', problem: `it has ${entry.links} hard links`, fix: 'drop a copy: a change through the other name would reach a running task' };
  if (quietMs >= settleMs || (ageMs >= settleMs && ageMs < 86_400_000 * 3650)) return { kind: 'settled' };
  return { kind: 'wait', look };
}
