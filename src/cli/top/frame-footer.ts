import { unreachable } from '../../lib/unreachable.js';
import { cut, safe, span, widthOf, widthOfLine, type Line, type Span } from './cells.js';
import { selectedOf } from './rows.js';
import { detailKey, type Model, type Typing, type Ui } from './state.js';

type Hint = readonly [key: string, what: string];

/** What the keys do with that which is selected. */
function hints(model: Model, ui: Ui): readonly Hint[] {
  const selected = selectedOf(model, ui);
  const always: readonly Hint[] = [['?', 'help'], ['q', 'quit'], ['Tab', 'pane'], ['/', 'filter'], ['p', model.paused ? 'resume' : 'pause'], ['+-', 'snakes']];
  switch (selected.kind) {
    case 'session': {
      const { row } = selected;
      if (row.session === undefined) return [['s', 'explain'], ...always];
      return [['a', 'attach'], ['n', 'nudge'], ...(row.kind === 'snake' ? [['x', 'kill'] as const] : []), ['l', 'log'], ['e', 'explain'], ...always];
    }
    case 'task': {
      const left: readonly Hint[] = model.details.get(detailKey(selected.row))?.branch === 'left' ? [['m', 'merge'], ['R', 'reject'], ['d', 'diff']] : [];
      switch (selected.row.state) {
        case 'needs':
          return [['a', 'answer'], ['s', 'question'], ...left, ['x', 'cancel'], ...always];
        case 'failed':
        case 'refused':
          return [['r', 'retry'], ['s', 'story'], ['l', 'log'], ...left.slice(1), ...always];
        case 'done':
          return [['s', 'story'], ['l', 'log'], ...left, ['r', 'rerun'], ...always];
        case 'held':
          return [['h', 'release'], ['s', 'show'], ['x', 'cancel'], ...always];
        case 'ready':
        case 'waiting':
          return [['h', 'hold'], ['s', 'show'], ['e', 'explain'], ['x', 'cancel'], ...always];
        case 'claimed':
        case 'reaping':
        case 'stuck':
          return [['s', 'show'], ['e', 'explain'], ['x', 'cancel'], ...always];
        default:
          return unreachable(selected.row.state);
      }
    }
    case 'nothing':
      return always;
    default:
      return unreachable(selected);
  }
}

function prompt(what: Typing): string {
  switch (what.kind) {
    case 'filter':
      return '/';
    case 'nudge':
      return `to ${safe(what.name, 30)}: `;
    case 'ping':
      return what.names.length === 1 ? `to ${safe(what.names[0] ?? '', 30)}: ` : `to all ${what.names.length}: `;
    case 'answer':
      return `answer ${safe(what.id, 30)}: `;
    case 'reject':
      return `reject ${safe(what.id, 30)}, why: `;
    default:
      return unreachable(what);
  }
}

/** The last line: what is typed or asked, what the last action came to, or what the keys do. */
export function footerLine(model: Model, ui: Ui, cols: number): Line {
  const { mode, notice } = ui;
  switch (mode.kind) {
    case 'typing': {
      const head = prompt(mode.what);
      return [span(head, 'title'), span(tail(safe(mode.text, 5000), cols - widthOf(head) - 1)), { text: ' ', tone: 'plain', selected: true }];
    }
    case 'asking':
      return asking(safe(mode.question), cols);
    case 'helping':
      return [span('arrows scroll, any other key goes back', 'dim')];
    case 'browsing':
      if (notice !== undefined) return [span(safe(notice.text), notice.tone === 'plain' ? 'title' : notice.tone)];
      return whole(hints(model, ui), cols, ui.filter === '' ? [] : [span(`/${safe(ui.filter, 20)}`, 'warn'), span(' (Esc: all)  ', 'dim')]);
    default:
      return unreachable(mode);
  }
}

/** The question is cut, where it must be, before what the keys mean. */
function asking(question: string, cols: number): Line {
  const keys = ['  y: yes  any other key: no', ' y/n'].find((one) => widthOf(question) + widthOf(one) <= cols) ?? ' y/n';
  return [span(cut(question, Math.max(0, cols - widthOf(keys))), 'warn'), span(keys, 'dim')];
}

/** Hints are left out whole, the last ones first. */
function whole(all: readonly Hint[], cols: number, before: readonly Span[]): Line {
  const kept: Span[] = [...before];
  for (const [key, what] of all) {
    const more = [span(kept.length === before.length ? '' : '  '), span(key, 'key'), span(` ${what}`, 'dim')];
    if (widthOfLine(kept) + widthOfLine(more) > cols) continue;
    kept.push(...more);
  }
  return kept;
}

/** The end of a text, where the typing goes on. */
function tail(text: string, cols: number): string {
  if (widthOf(text) <= cols) return text;
  const points = Array.from(text);
  let kept = '';
  for (let at = points.length - 1; at >= 0; at -= 1) {
    const longer = (points[at] ?? '') + kept;
    if (widthOf(longer) > cols - 1) break;
    kept = longer;
  }
  return `…${kept}`;
}
