import { show } from '../lib/text.js';
import type { AgentState, AgentStateKind } from '../protocol/agent-state.js';
import type { Dialog, ResetSpec, ScreenRule, ScreenRules } from './profile.js';
import { compiled, cut, joined, type Entry, type Regions } from './regions.js';
import { resetTime } from './reset.js';

/** One look at a pane: its title and its plain capture, row by row. */
export interface ScreenInput {
  readonly title: string;
  readonly text: string;
  readonly dead?: boolean;
  /** Wall clock at the capture; without it clock texts give no reset. */
  readonly nowMs?: number;
}

export interface ScreenState extends AgentState {
  readonly source: 'title' | 'pane';
  readonly dialog?: string;
  /** What somebody has typed into the box and not sent, '' for an empty box; absent when no box is on screen. */
  readonly draft?: string;
}

/** A status line stands just above the box; a list of tasks or of queued messages may come between. */
const STATUS_ENTRIES = 4;

/** Around the words by which a dialog is known: what it asks about stands above them. */
const ASKED_CHARS = 120;

/** Nobody works, nobody is asked: what may be said only when nothing else is. */
const QUIET: ReadonlySet<AgentStateKind> = new Set(['idle', 'finished']);

const DIALOG_STATE: Readonly<Record<Dialog['kind'], AgentStateKind>> = {
  trust: 'blocked-on-dialog', login: 'blocked-on-dialog', update: 'blocked-on-dialog', other: 'blocked-on-dialog',
  permission: 'blocked-on-permission', question: 'waiting-for-input', limit: 'usage-limited',
};

/**
 * The last witness: what a pane shows → a state. Pure. A dead pane keeps its last picture, so that comes first. Dialogs replace
 * the prompt box and are believed only without one; they outrank the title, which some programs forget to change. Then every
 * rule that speaks of work, waiting or failure, in the profile's order, each in its one place; only then the quiet ones, and
 * an empty box. What nothing explains is "unknown".
 */
export function classifyScreen(rules: ScreenRules, dialogs: readonly Dialog[], input: ScreenInput): ScreenState {
  if (input.dead === true) return { kind: 'exited', source: 'pane', rule: 'dead-pane', evidence: 'the pane is dead' };
  const regions = cut(rules, input.text);
  const box = regions.box;
  const draft = box === undefined ? {} : { draft: rules.placeholders.some((one) => compiled(one).test(box)) ? '' : box };
  if (box === undefined) {
    for (const dialog of dialogs) {
      const found = compiled(dialog.pattern).exec(regions.tail);
      if (found !== null && dialog.also?.every((one) => compiled(one).test(regions.tail)) !== false) return { kind: dialog.state ?? DIALOG_STATE[dialog.kind], source: 'pane', rule: dialog.id, dialog: dialog.id, evidence: show(regions.tail.slice(Math.max(0, found.index - ASKED_CHARS), found.index + found[0].length + ASKED_CHARS / 4)), ...resetOf(dialog.reset, found, input.nowMs) };
    }
  }
  const places = placesOf(rules, regions, input.title);
  for (const quiet of [false, true]) {
    if (quiet && box === undefined) break;
    for (const rule of rules.rules) {
      const found = QUIET.has(rule.state) === quiet ? match(rule, places) : undefined;
      if (found !== undefined) return { kind: rule.state, source: rule.in === 'title' ? 'title' : 'pane', rule: rule.id, evidence: show(found[0]), ...resetOf(rule.reset, found, input.nowMs), ...draft };
    }
  }
  if (box !== undefined) return { kind: 'idle', source: 'pane', rule: 'prompt-box', evidence: show(joined([box])), ...draft };
  if (regions.blank) return { kind: 'starting', source: 'pane', rule: 'blank-screen', evidence: '' };
  return { kind: 'unknown', source: 'pane', rule: 'none', evidence: show(regions.tail.slice(-80)) };
}

/** Whether two looks in a row say the same; a state is acted on when they do. What somebody types meanwhile is no other state. */
export function agree(previous: ScreenState | undefined, now: ScreenState): boolean {
  return previous !== undefined && previous.kind === now.kind && previous.dialog === now.dialog;
}

interface Place {
  readonly texts: readonly string[];
  /** The entry above. */
  readonly above?: string;
}

type Places = Readonly<Record<ScreenRule['in'], Place>>;

/** What each kind of rule may look at. The turn speaks by its last entry alone: what stands further up has been overtaken or is quoted. */
function placesOf(rules: ScreenRules, regions: Regions, title: string): Places {
  const { entries, box, footer } = regions;
  const skip = rules.skip === undefined ? undefined : compiled(rules.skip);
  const last = entries.findLastIndex((entry) => skip?.test(entry.text) !== true);
  const entry = entries[last];
  const shown = box !== undefined;
  return {
    title: { texts: [title] },
    box: { texts: shown ? [joined([box])] : [] },
    footer: { texts: [joined(footer), ...footer.map((line) => line.trim())] },
    rule: { texts: [regions.rule] },
    status: { texts: statusOf(rules, entries) },
    turn: { texts: shown && entry !== undefined && !entry.anchor ? [entry.text] : [], above: entries[last - 1]?.text ?? '' },
  };
}

/** The last entries, but none from before the line that says that the turn has ended. */
function statusOf(rules: ScreenRules, entries: readonly Entry[]): string[] {
  const ends = rules.rules.filter((rule) => rule.in === 'turn' && rule.state === 'finished').map((rule) => compiled(rule.pattern));
  const over = entries.findLastIndex(({ text }) => ends.some((end) => end.test(text)));
  return entries.slice(Math.max(over + 1, entries.length - STATUS_ENTRIES)).map(({ text }) => text);
}

function match(rule: ScreenRule, places: Places): RegExpExecArray | undefined {
  const place = places[rule.in];
  if (rule.above !== undefined && (place.above === undefined || !compiled(rule.above).test(place.above))) return undefined;
  for (const text of place.texts) {
    const found = compiled(rule.pattern).exec(text);
    if (found !== null && (rule.unless === undefined || !compiled(rule.unless).test(text))) return found;
  }
  return undefined;
}

/** A number may have been broken by a narrow pane. */
function resetOf(spec: ResetSpec | undefined, found: RegExpExecArray, nowMs: number | undefined): { resetAt?: number } {
  const text = spec?.group === undefined ? undefined : found.groups?.[spec.group];
  if (spec === undefined || text === undefined || nowMs === undefined) return {};
  const at = resetTime(spec.unit, spec.unit === 'clock' ? text : text.replace(/ /g, ''), nowMs);
  return at === undefined ? {} : { resetAt: at };
}
