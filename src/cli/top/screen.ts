import type { WriteStream } from 'node:tty';

/* The terminal: taken over, painted, and given back as it was. */

const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[?2004h\u001b[2J';
const MOUSE_ON = '\u001b[?1000h\u001b[?1006h';
const MOUSE_OFF = '\u001b[?1006l\u001b[?1000l';
/** Everything that ENTER and the mouse changed, in any order that a half-done entering may have left. */
export const LEAVE = `\u001b[0m${MOUSE_OFF}\u001b[?2004l\u001b[?7h\u001b[?25h\u001b[?1049l`;
/** Between these a terminal that knows them shows nothing half-drawn; others ignore them. */
const BEGIN = '\u001b[?2026h';
const END = '\u001b[?2026l';

/**
 * What has to be written so that a screen which shows `before` shows `now`: only the lines that differ. Lines do not wrap, and each is
 * put at its own place, so a line that a terminal measures differently disturbs no other.
 */
export function difference(before: readonly string[], now: readonly string[]): string {
  let text = '';
  for (let row = 0; row < Math.max(before.length, now.length); row += 1) {
    if (before[row] === now[row]) continue;
    text += `\u001b[${row + 1};1H\u001b[2K${now[row] ?? ''}`;
  }
  return text === '' ? '' : `${BEGIN}${text}${END}`;
}

/** The alternate screen of one terminal. */
export class Screen {
  private readonly out: WriteStream;
  private shown: readonly string[] = [];
  private entered = false;
  private mouse = false;

  constructor(out: WriteStream) {
    this.out = out;
  }

  enter(mouse: boolean): void {
    this.entered = true;
    this.mouse = mouse;
    this.shown = [];
    this.out.write(`${ENTER}${mouse ? MOUSE_ON : ''}`);
  }

  /** Rings the terminal's bell; nothing on the screen changes. */
  ring(): void {
    this.out.write('\u0007');
  }

  /** Idempotent, and safe to call from an exit handler: writing to a terminal is synchronous. */
  leave(): void {
    if (!this.entered) return;
    this.entered = false;
    this.out.write(LEAVE);
  }

  setMouse(on: boolean): void {
    if (on === this.mouse) return;
    this.mouse = on;
    this.out.write(on ? MOUSE_ON : MOUSE_OFF);
  }

  /** Nothing of what stands there can be trusted: it was resized, or somebody else wrote. */
  forget(): void {
    this.shown = [];
    if (this.entered) this.out.write('\u001b[0m\u001b[2J');
  }

  show(lines: readonly string[]): void {
    if (!this.entered) return;
    const text = difference(this.shown, lines);
    this.shown = lines;
    if (text !== '') this.out.write(text);
  }
}
