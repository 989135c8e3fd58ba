import { unreachable } from '../../lib/unreachable.js';
import type { Key } from './input.js';
import { browse, stay, type Step } from './step.js';
import type { Mode, Ui } from './state.js';

type TypingMode = Extract<Mode, { kind: 'typing' }>;

/** Longer texts are a file's: `snakepit nudge TASK -`. */
const MAX_CHARS = 4000;

/** One key into the line that is being typed. */
export function type(ui: Ui, mode: TypingMode, pressed: Key): Step {
  const put = (text: string): Step => {
    const kept = text.slice(0, MAX_CHARS);
    return stay({ ...ui, mode: { ...mode, text: kept }, ...(mode.what.kind === 'filter' ? { filter: kept } : {}), notice: undefined });
  };
  switch (pressed.kind) {
    case 'char':
      return put(mode.text + pressed.char);
    case 'paste':
      return put(mode.text + pressed.text.replace(/\s*[\r\n]+\s*/g, ' ').replaceAll('\t', ' '));
    case 'ctrl':
      if (pressed.char === 'u') return put('');
      if (pressed.char === 'w') return put(mode.text.replace(/\S*\s*$/, ''));
      return stay(ui);
    case 'named':
      if (pressed.name === 'backspace') return put(Array.from(mode.text).slice(0, -1).join(''));
      if (pressed.name === 'escape') return stay(browse(mode.what.kind === 'filter' ? { ...ui, filter: '' } : ui, mode.what.kind === 'filter' ? undefined : { text: 'nothing was said', tone: 'plain' }));
      return pressed.name === 'enter' ? submit(ui, mode) : stay(ui);
    case 'click':
    case 'wheel':
      return stay(ui);
    default:
      return unreachable(pressed);
  }
}

function submit(ui: Ui, { what, text }: TypingMode): Step {
  const said = text.trim();
  const silent = stay(browse(ui, { text: 'nothing was said', tone: 'plain' }));
  switch (what.kind) {
    case 'filter':
      return stay(browse(ui));
    case 'nudge':
      return said === '' ? silent : { ui: browse(ui), action: { kind: 'nudge', name: what.name, text: said } };
    case 'ping':
      return said === '' ? silent : { ui: browse(ui), action: { kind: 'ping', names: what.names, text: said } };
    case 'answer':
      if (said !== '') return { ui: browse(ui), action: { kind: 'answer', id: what.id, text: said } };
      return stay({ ...ui, mode: { kind: 'asking', question: `let ${what.id} go on as it stands, without an answer?`, yes: { kind: 'answer', id: what.id, text: '' } } });
    case 'reject':
      return stay({ ...ui, mode: { kind: 'asking', question: `reject ${what.id}?`, yes: { kind: 'reject', id: what.id, text: said } } });
    default:
      return unreachable(what);
  }
}
