import { parseJson } from '../protocol/records.js';
import { isTaskId } from '../protocol/names.js';

/*
 * What is remembered of a template, in .snakepit/recurring/<name>.json. All times are wall-clock milliseconds.
 *
 *   (nothing) ──seen──► waiting for nextDueAt ──due──► making ──► waiting …
 *                            │    ▲
 *                      gone  ▼    │ back, or its schedule edited: reckoned anew
 *                          retired (key "")
 *
 * `making` is written before the instance's one rename and taken back after it: the staged file (queue/staged.ts) is there before
 * the rename and gone after it, so whoever finds `making` knows which of the two it was.
 */

export interface RecurringRecord {
  readonly v: 1;
  readonly name: string;
  readonly file: string;
  /** The schedule that nextDueAt was reckoned by; "": the template is gone. */
  readonly key: string;
  /** From where an interval counts. */
  readonly anchorAt: number;
  readonly nextDueAt: number;
  /** When this was decided; a clock that shows less was set back. */
  readonly at: number;
  /** Spans of due times that nothing more is made of, both ends included, oldest first. */
  readonly spent: readonly Span[];
  /** The instance made last. */
  readonly last?: Instance;
  readonly making?: Instance & { readonly rule: string };
  /** What was last told to be in the way: an instance, or NOTHING_TO_DO. */
  readonly told?: string;
  /** When the last instance was made; older records have none. */
  readonly madeAt?: number;
}

export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Instance {
  readonly id: string;
  readonly dueAt: number;
}

/** Where the last instance is. "unseen": it could not be found out, which is neither gone nor ended. */
export type LastLook =
  | { readonly kind: 'none' }
  | { readonly kind: 'unseen' }
  | { readonly kind: 'ended'; readonly id: string; readonly state: 'done' | 'failed' }
  | { readonly kind: 'open'; readonly id: string; readonly state: string }
  | { readonly kind: 'gone'; readonly id: string };

/** What was told where an instance would have had nothing to do; no instance is called so. */
export const NOTHING_TO_DO = '-';

/** Whether an instance would have anything to do. `since`: what is older was the matter of an earlier one. "unseen": it could not be found out. */
export type Work = { readonly kind: 'some'; readonly since?: number | undefined } | { readonly kind: 'nothing'; readonly evidence: string } | { readonly kind: 'unseen' };

/** What follows for one template at one look. Each names its rule, for the log; `record` is what lies on disk before anything is done. */
export type RecurringAction =
  | { readonly kind: 'none'; readonly rule: string }
  | { readonly kind: 'record'; readonly rule: string; readonly record: RecurringRecord }
  | { readonly kind: 'skip'; readonly rule: string; readonly record: RecurringRecord; readonly dueAt: number; readonly evidence: string; readonly tell: boolean }
  | { readonly kind: 'make'; readonly rule: string; readonly record: RecurringRecord; readonly instance: Instance; readonly since?: number | undefined }
  | { readonly kind: 'finish'; readonly rule: string; readonly record: RecurringRecord; readonly instance: Instance };

const isInstance = (value: unknown): boolean => typeof value === 'object' && value !== null && isTaskId(String((value as Instance).id)) && Number.isFinite((value as Instance).dueAt);

/** Undefined for what is no record of ours: the template then counts as seen for the first time. */
export function parseRecord(text: string | undefined): RecurringRecord | undefined {
  const value = parseJson<RecurringRecord>(text);
  if (typeof value !== 'object' || value === null || value.v !== 1 || typeof value.key !== 'string' || typeof value.name !== 'string' || typeof value.file !== 'string') return undefined;
  if (![value.anchorAt, value.nextDueAt, value.at].every(Number.isFinite) || !Array.isArray(value.spent)) return undefined;
  if (!value.spent.every((span: Span | null) => Number.isFinite(span?.from) && Number.isFinite(span?.to))) return undefined;
  return (value.last === undefined || isInstance(value.last)) && (value.making === undefined || isInstance(value.making)) ? value : undefined;
}

/** How the name of a template begins that no file in queue/recurring/ is: it stands in the settings. */
export const SETTING = 'snakepit.yaml: ';

/** Where a template stands, for a person: its `file`, in full. */
export const sourceOf = (file: string): string => (file.startsWith(SETTING) ? file : `recurring/${file}`);
