/** What a person did. Places count from 0. */
export type Key =
  | { readonly kind: 'char'; readonly char: string }
  | { readonly kind: 'ctrl'; readonly char: string }
  | { readonly kind: 'named'; readonly name: NamedKey }
  /** Pasted text, whole: none of it is taken for keys. */
  | { readonly kind: 'paste'; readonly text: string }
  | { readonly kind: 'click'; readonly x: number; readonly y: number }
  | { readonly kind: 'wheel'; readonly by: 1 | -1; readonly x: number; readonly y: number };

export const NAMED = ['up', 'down', 'left', 'right', 'home', 'end', 'page-up', 'page-down', 'tab', 'back-tab', 'enter', 'escape', 'backspace', 'delete'] as const;
export type NamedKey = (typeof NAMED)[number];

const FINALS: Readonly<Record<string, NamedKey>> = { A: 'up', B: 'down', C: 'right', D: 'left', H: 'home', F: 'end', Z: 'back-tab' };
const TILDES: Readonly<Record<string, NamedKey>> = { '1': 'home', '7': 'home', '4': 'end', '8': 'end', '3': 'delete', '5': 'page-up', '6': 'page-down' };

const PASTE_BEGIN = '\u001b[200~';
const PASTE_END = '\u001b[201~';
/** A paste that never ends is not waited for. */
const PASTE_CHARS = 1_000_000;

/**
 * The keys in what a terminal sent, and the beginning of one that is not complete yet. With `whole` nothing more is waited for: a
 * lone escape is the key of that name. Sequences that mean nothing here are dropped, never taken for the characters they consist of.
 */
export function decode(text: string, whole = false): { readonly keys: Key[]; readonly rest: string } {
  const keys: Key[] = [];
  let at = 0;
  const named = (name: NamedKey): unknown => keys.push({ kind: 'named', name });
  while (at < text.length) {
    const char = String.fromCodePoint(text.codePointAt(at) ?? 0);
    if (char !== '\u001b') {
      plain(char);
      at += char.length;
      continue;
    }
    if (text.startsWith(PASTE_BEGIN, at)) {
      const end = text.indexOf(PASTE_END, at);
      if (end < 0 && !whole && text.length - at < PASTE_CHARS) return { keys, rest: text.slice(at) };
      keys.push({ kind: 'paste', text: text.slice(at + PASTE_BEGIN.length, end < 0 ? undefined : end) });
      at = end < 0 ? text.length : end + PASTE_END.length;
      continue;
    }
    // oxlint-disable-next-line no-control-regex -- terminal escapes are what is being read
    const sequence = /^\u001b(?:\[([<?>=]?[0-9;]*)([ -/]*[@-~])|O([@-~]))/.exec(text.slice(at, at + 64));
    if (sequence !== null) {
      const [matched, numbers = '', final = '', single] = sequence;
      at += matched.length;
      escape(numbers, single ?? final);
      continue;
    }
    if (!whole && /^(?:|O|\[[<?>=]?[0-9;]*[ -/]*)$/.test(text.slice(at + 1)) && text.length - at < 64) return { keys, rest: text.slice(at) };
    // Alt and a key: only the key is meant. Two escapes: the first was pressed alone.
    named('escape');
    at += 1;
  }
  return { keys, rest: '' };

  function plain(char: string): void {
    const code = char.codePointAt(0) ?? 0;
    if (char === '\r' || char === '\n') named('enter');
    else if (char === '\t') named('tab');
    else if (code === 127 || code === 8) named('backspace');
    else if (code < 32) keys.push({ kind: 'ctrl', char: String.fromCharCode(code + 96) });
    else keys.push({ kind: 'char', char });
  }

  function escape(numbers: string, final: string): void {
    const mouse = /^<(\d+);(\d+);(\d+)$/.exec(numbers);
    if (mouse !== null) {
      const button = Number(mouse[1]);
      const place = { x: Number(mouse[2]) - 1, y: Number(mouse[3]) - 1 };
      if (button === 64 || button === 65) keys.push({ kind: 'wheel', by: button === 65 ? 1 : -1, ...place });
      else if (button === 0 && final === 'M') keys.push({ kind: 'click', ...place });
      return;
    }
    const name = final === '~' ? TILDES[numbers.split(';')[0] ?? ''] : FINALS[final];
    if (name !== undefined) named(name);
  }
}
