import type { Context } from '../context.js';
import { frame } from './frame.js';
import { Observer } from './observe.js';
import type { Depth } from './palette.js';
import { newUi, type Size } from './state.js';

/** As a screen of this height would have it: every snake, then the head of the queue and the newest events. */
const LEAST_ROWS = 30;
const MOST_COLS = 1000;

/** One frame for scripts and logs: no cursor, no preview, no line of keys; all snakes, however many. */
export async function once(context: Context, terminalCols: number | undefined, depth: Depth): Promise<string> {
  const asked = Number(process.env['COLUMNS']);
  const cols = Number.isInteger(asked) && asked > 0 ? Math.min(asked, MOST_COLS) : (terminalCols ?? 120);
  const observer = new Observer(context);
  const ui = { ...newUi(), preview: false, still: true };
  const model = await observer.look(ui);
  const size: Size = { cols, rows: Math.max(LEAST_ROWS, model.sessions.length * 3) };
  const lines = frame(await observer.fill(model, ui, size), size, ui, depth).slice(0, -1);
  // Room that nobody needed.
  return lines.filter((line, at) => line.trim() !== '' || (lines[at - 1] ?? '').trim() !== '').join('\n').trimEnd();
}
