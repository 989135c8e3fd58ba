import { StringDecoder } from 'node:string_decoder';
import type { ReadStream, WriteStream } from 'node:tty';
import { note, type Context } from '../context.js';
import { show } from '../../lib/text.js';
import { exitOf } from '../exit.js';
import { perform, takesLong, type Done } from './act.js';
import { stepAside } from './aside.js';
import { Bell } from './bell.js';
import { frame } from './frame.js';
import { decode, type Key } from './input.js';
import { key } from './keys.js';
import { Observer } from './observe.js';
import type { Depth } from './palette.js';
import { Screen } from './screen.js';
import { newUi, type Action, type Model, type Preview, type Size, type Ui } from './state.js';
import { Signals } from './signals.js';

const EVERY_MS = 1000;
/** A screen is looked at less often, since to start tmux costs more than all the rest; at once when another one is selected. */
const SCREEN_EVERY_MS = 1900;
/** A lone escape is the key, unless more of a sequence follows within this. */
const ESCAPE_MS = 40;

/** The life of the view: look, draw, wait for a key or a second. Everything that takes longer goes on beside it. */
export async function live(context: Context, input: ReadStream, output: WriteStream, depth: Depth): Promise<void> {
  const observer = new Observer(context);
  const screen = new Screen(output);
  const bell = new Bell(context);
  const decoder = new StringDecoder('utf8');
  const waiting: Done[] = [];
  const going = new Set<Promise<void>>();
  let ui: Ui = newUi();
  let model: Model = await observer.look(ui);
  let preview: Preview | undefined;
  let rest = '';
  let over = false;
  let aside = false;
  let busy = false;
  let looking = false;
  let lookedAt = { of: '', at: 0 };
  let wake = new AbortController();
  let escape: NodeJS.Timeout | undefined;

  const size = (): Size => ({ cols: Math.max(1, output.columns || 80), rows: Math.max(1, output.rows || 24) });
  const poke = (): void => wake.abort();
  const enter = (): void => {
    aside = false;
    screen.enter(ui.mouse);
    input.setRawMode(true);
    input.resume();
  };
  const leave = (): void => {
    aside = true;
    if (escape !== undefined) clearTimeout(escape);
    input.pause();
    input.setRawMode(false);
    screen.leave();
  };
  const signals = new Signals({
    leave,
    enter: () => {
      enter();
      poke();
    },
    isAside: () => aside,
    end: () => {
      over = true;
      poke();
    },
  });
  const draw = (): void => {
    if (!aside) screen.show(frame({ ...model, preview }, size(), ui, depth));
  };

  const take = (chunk: Buffer): void => {
    if (escape !== undefined) clearTimeout(escape);
    const { keys, rest: left } = decode(rest + decoder.write(chunk));
    rest = left;
    press(keys);
    if (rest !== '') {
      escape = setTimeout(() => {
        const all = decode(rest, true);
        rest = '';
        press(all.keys);
      }, ESCAPE_MS);
    }
  };
  const press = (keys: readonly Key[]): void => {
    for (const one of keys) {
      const step = key(ui, one, model, size());
      ui = step.ui;
      start(step.action);
      if (over || aside) return;
    }
    draw();
    poke();
  };

  const start = (action: Action): void => {
    switch (action.kind) {
      case 'none':
        return;
      case 'quit':
        over = true;
        poke();
        return;
      case 'suspend':
        signals.suspend();
        return;
      case 'redraw':
        screen.forget();
        return;
      case 'mouse':
        screen.setMouse(action.on);
        return;
      case 'attach':
      case 'view':
        leave();
        void stepAside(context.layout.root, action).then((notice) => {
          if (over) return;
          ui = { ...ui, notice };
          enter();
          poke();
        });
        return;
      default:
        if (takesLong(action)) return beside(action);
        // Of several wishes for a number of snakes only the last one counts.
        if (action.kind === 'scale' && waiting.at(-1)?.kind === 'scale') waiting.pop();
        waiting.push(action);
        void work();
    }
  };
  const work = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const notice = await perform(context.layout.root, next);
      ui = { ...ui, notice, ...(waiting.some(({ kind }) => kind === 'scale') ? {} : { scaling: undefined }) };
      poke();
    }
    busy = false;
  };
  /** What takes long holds up nothing else. */
  const beside = (action: Done): void => {
    const one = perform(context.layout.root, action).then((notice) => {
      ui = { ...ui, notice };
      going.delete(one);
      poke();
      if (over) note(notice.text);
    });
    going.add(one);
  };
  /** Beside the loop: a tmux that does not answer holds up nothing but this. */
  const lookCloser = async (): Promise<void> => {
    const of = `${ui.focus} ${ui.cursors[ui.focus].name} ${ui.cursors[ui.focus].index} ${ui.filter}`;
    if (looking || aside || !ui.preview || (of === lookedAt.of && context.clock.monoMs() - lookedAt.at < SCREEN_EVERY_MS)) return;
    lookedAt = { of, at: context.clock.monoMs() };
    looking = true;
    preview = await observer.preview(model, ui).catch(() => undefined);
    looking = false;
    draw();
  };

  input.on('data', take);
  input.on('end', () => signals.end());
  input.on('error', () => signals.end());
  output.on('error', () => signals.end());
  output.on('resize', () => {
    screen.forget();
    draw();
    poke();
  });
  try {
    signals.listen();
    enter();
    while (!over) {
      wake = new AbortController();
      if (!aside) {
        try {
          model = await observer.fill(await observer.look(ui), ui, size());
          if ((await bell.rang()) && !aside) screen.ring();
        } catch (cause) {
          // What is shown is old then, and says so; the next look may be better.
          ui = { ...ui, notice: { text: `cannot look: ${show(exitOf(cause).line, 200)}`, tone: 'bad' } };
        }
        draw();
        void lookCloser();
      }
      await context.clock.sleep(EVERY_MS, wake.signal);
    }
  } finally {
    leave();
    input.destroy();
    signals.close();
  }
  if (going.size > 0) note('snakepit: what was begun is being ended; C-c leaves it as it was');
  await Promise.all(going);
}
