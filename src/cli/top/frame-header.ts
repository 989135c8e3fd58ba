import { unreachable } from '../../lib/unreachable.js';
import { QUEUE_STATES } from '../../protocol/layout.js';
import { stateWord } from '../state-word.js';
import { safe, span, widthOfLine, type Line, type Span, type Tone } from './cells.js';
import { amount, bytes, money, since } from './figures.js';
import type { Model, PitFacts, Size } from './state.js';

/** Warnings that a screen of this height has room for. */
const warningsIn = (rows: number): number => (rows < 18 ? 1 : rows < 40 ? 3 : 6);
/** Below this only what matters most is told. */
const NARROW = 60;
/** Below this the third line, of rates and the machine, is left out. */
const LOW = 18;

const STATE_TONE: Readonly<Record<string, Tone>> = { done: 'good', failed: 'bad', refused: 'bad', stuck: 'bad', claimed: 'busy', reaping: 'warn', waiting: 'warn', held: 'ask', needs: 'ask', ready: 'ready' };
export const toneOfState = (state: string): Tone => STATE_TONE[state] ?? 'plain';

/** Pure: what stands above everything else. */
export function headerLines(model: Model, { cols, rows }: Size): readonly Line[] {
  const narrow = cols < NARROW;
  const lines: Line[] = [titleLine(model, cols), countsLine(model, narrow)];
  if (rows >= LOW) lines.push(machineLine(model, narrow));
  return [...lines, ...warnings(model).slice(0, warningsIn(rows)).map(({ text, tone }): Line => [span(safe(text), tone)])];
}

function titleLine(model: Model, cols: number): Line {
  const clock = new Date(model.at).toTimeString().slice(0, 8);
  const left: Span[] = [span(safe(model.name, 30), 'title'), span('  '), ...pitSpans(model.pit, model.at)];
  if (model.paused) left.push(span('  '), span('PAUSED', 'warn'));
  const gap = cols - widthOfLine(left) - clock.length;
  return gap < 1 ? left : [...left, span(' '.repeat(gap)), span(clock, 'dim')];
}

function pitSpans(pit: PitFacts, now: number): Span[] {
  switch (pit.kind) {
    case 'none':
      return [span('no pit is running', 'warn'), span('; + starts one', 'dim')];
    case 'dead':
      return [span('the pit is dead', 'bad'), span(` (pid ${pit.pid}); + starts one that takes over`, 'dim')];
    case 'starting':
      return [span('the pit is starting', 'warn'), span(` (pid ${pit.pid})`, 'dim')];
    case 'running': {
      const going = pit.mode === 'run' ? span('running', 'good') : span(pit.mode === 'drain' ? 'going down: what runs is finished' : 'going down now', 'warn');
      const tmux = pit.tmux === 'up' ? [] : [span(`  tmux: ${pit.tmux === 'gone' ? 'gone' : 'no answer'}`, 'bad')];
      return [going, span(`  ${pit.wanted} ${pit.wanted === 1 ? 'snake' : 'snakes'}`), span(`  up ${since(pit.startedAt, now)}, pid ${pit.pid}`, 'dim'), ...tmux];
    }
    default:
      return unreachable(pit);
  }
}

const ALWAYS: readonly string[] = ['ready', 'claimed', 'done', 'failed'];

function countsLine({ counts, refused }: Model, narrow: boolean): Line {
  const shown = [...QUEUE_STATES.filter((state) => counts[state] > 0 || ALWAYS.includes(state)).map((state) => ({ word: stateWord(state), state: state as string, count: counts[state] })), ...(refused === 0 ? [] : [{ word: 'refused', state: 'refused', count: refused }])];
  // Little room: what asks for a person before what waits for its turn.
  const weight = (state: string): number => ['failed', 'needs', 'stuck', 'refused', 'claimed', 'ready', 'done'].indexOf(state) & 15;
  const order = narrow ? [...shown].sort((a, b) => weight(a.state) - weight(b.state)) : shown;
  return order.flatMap(({ word, state, count }, index) => [span(`${index === 0 ? '' : narrow ? ' ' : '  '}${narrow ? word.slice(0, 4) : word} `, count === 0 ? 'dim' : toneOfState(state)), span(count.toLocaleString('en-US'), count === 0 ? 'dim' : 'plain')]);
}

function machineLine(model: Model, narrow: boolean): Line {
  const { rates, today, budget, disk } = model;
  const parts: Span[][] = [];
  if (rates.windowMs > 0) parts.push([span(`${rate(rates.done)} done/h`), span(`  ${rate(rates.failed)} failed/h`, rates.failed > 0 ? 'bad' : 'dim')]);
  if (model.oldestAt !== undefined) parts.push([span(`oldest waits ${since(model.oldestAt, model.at)}`)]);
  const { tokens: used, costUsd: cost } = today;
  const tokens = [span(`today ${amount(used)}${budget?.tokens === undefined ? '' : ` of ${amount(budget.tokens)}`} tokens`, budget?.tokens !== undefined && used >= budget.tokens ? 'bad' : 'plain')];
  if (cost > 0) tokens.push(span(` ${today.unpriced ? '≥' : ''}${money(cost)}${budget?.costUsd === undefined ? '' : ` of ${money(budget.costUsd)}`}`, budget?.costUsd !== undefined && cost >= budget.costUsd ? 'bad' : 'plain'));
  parts.push(tokens);
  if (!narrow) {
    parts.push([span(`load ${model.load.toFixed(1)}/${model.cpus}`, model.load > model.cpus * 2 ? 'warn' : 'dim')]);
    if (disk !== undefined) parts.push([span(`${bytes(disk.freeBytes)} free`, disk.freeBytes < disk.floorBytes * 2 ? 'bad' : 'dim')]);
  }
  return parts.flatMap((part, index) => (index === 0 ? part : [span(narrow ? ' ' : '  ·  ', 'dim'), ...part]));
}

const rate = (perHour: number): string => (perHour > 0 && perHour < 9.95 ? perHour.toFixed(1).replace(/\.0$/, '') : amount(Math.round(perHour)));

/** What a person should know, the weightiest first. */
function warnings(model: Model): { text: string; tone: Tone }[] {
  return [
    ...(model.hindrance === undefined ? [] : [{ text: `nothing is claimed: ${model.hindrance}`, tone: 'warn' as const }]),
    ...(model.configProblem === undefined ? [] : [{ text: `${model.configProblem} (the last good configuration stays in force)`, tone: 'bad' as const }]),
    ...model.accounts.map((text) => ({ text, tone: 'warn' as const })),
  ];
}
