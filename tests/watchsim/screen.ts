import type { PaneActed, PaneCapture, PaneSeen } from '../../src/tmux/pane.js';

/*
 * What a scripted session shows, drawn as tests/rig/actor.mjs draws it: entries, a status line, a composer in a box; or a dialog in
 * the place of the box. It takes a paste and a key as a terminal would.
 */

const COLUMNS = 160;
const ROWS = 48;
const ENTRIES = 8;

/** Told about what is typed into a pane. */
export interface Keyboard {
  readonly pasted: (text: string) => void;
  readonly pressed: (key: string) => void;
}

export class Screen {
  /** Nothing has been painted. */
  blank = true;
  status = '';
  dialog: { readonly text: string; readonly rows: readonly string[]; at: number } | undefined;
  /** A person at an attached terminal: wall clock of the last key. */
  person: number | undefined;
  composer = '';
  private entries: string[] = [];
  private keyboard: Keyboard | undefined;

  add(entry: string): void {
    this.entries = [...this.entries, entry].slice(-ENTRIES);
  }

  plug(keyboard: Keyboard): void {
    this.keyboard = keyboard;
  }

  text(): string {
    return this.blank ? '' : `${this.rows().join('\n')}\n`;
  }

  observe(): PaneSeen {
    const cursor = { x: 2 + this.composer.length, y: this.rows().length };
    const people = this.person === undefined ? [] : [{ activeAtMs: this.person }];
    const capture: PaneCapture = { dead: false, inMode: false, title: 'actor', cursor, size: { columns: COLUMNS, rows: ROWS }, people, text: this.text(), styled: this.text() };
    return { kind: 'seen', capture };
  }

  paste(text: string): PaneActed {
    if (this.dialog === undefined) this.composer += text;
    this.keyboard?.pasted(text);
    return { kind: 'done' };
  }

  press(key: string): PaneActed {
    this.keyboard?.pressed(key);
    return { kind: 'done' };
  }

  private rows(): string[] {
    const said = this.entries.flatMap((entry) => [entry, '']);
    const { dialog } = this;
    if (dialog !== undefined) return [...said, `▲ ${dialog.text}`, ...dialog.rows.map((row, at) => `${at === dialog.at ? '❯' : ' '} ${at + 1}. ${row}`)];
    const typed = this.composer.split('\n').flatMap((line) => line.match(new RegExp(`.{1,${COLUMNS - 3}}`, 'gu')) ?? ['']);
    const edge = '─'.repeat(COLUMNS);
    return [...said, ...(this.status === '' ? [] : [this.status, '']), edge, ...typed.map((row, at) => `${at === 0 ? '>' : ' '} ${row}`), edge, '  ? for help'];
  }
}
