/**
 * Text from tasks, agents and file names, made fit for a terminal or a log line: every control, format, bidirectional and
 * unassigned code point is *replaced*, in one pass. Removing escape sequences instead lets the rest recombine into new ones.
 */
export function show(text: string, maxChars = 200): string {
  const safe = text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\u00b7');
  if (safe.length <= maxChars) return safe;
  return `${safe.slice(0, maxChars - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** The same for text of several lines: newlines and tabs stay. */
export function showLines(text: string): string {
  return text.replace(/\r\n/g, '\n').replace(/[^\P{C}\n\t]/gu, '\u00b7');
}

/** What a terminal was told, without its escape sequences; what is left must still go through `show` or `showLines`. */
// oxlint-disable-next-line no-control-regex -- terminal escapes are what is being matched
export const withoutEscapes = (text: string): string => text.replace(/\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g, '');

/** Of a terminal recording what was printed beside full-screen drawing (the alternate screen): that is pictures, not lines. */
// oxlint-disable-next-line no-control-regex -- terminal escapes are what is being matched
export const besideFullScreen = (recording: string): string => recording.replace(/\u001b\[\?(?:1049|1047|47)h[^]*?(?:\u001b\[\?(?:1049|1047|47)l|$)/g, '');

/** The last `count` lines of a terminal recording without its escape sequences, for stories. */
export function tailLines(recording: string, count: number): string[] {
  return showLines(withoutEscapes(recording)).split('\n').map((line) => line.trimEnd()).filter((line) => line !== '').slice(-count);
}

/** The word of `known` nearest to a mistyped one; undefined when none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: { word: string; distance: number } | undefined;
  for (const candidate of known) {
    const distance = editDistance(word, candidate);
    if (best === undefined || distance < best.distance) best = { word: candidate, distance };
  }
  return best !== undefined && best.distance <= Math.max(2, Math.floor(word.length / 3)) ? best.word : undefined;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      next[j] = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
