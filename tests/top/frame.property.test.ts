import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import stringWidth from 'string-width';
import * as built from '../../src/cli/top/frame.js';
import * as cells from '../../src/cli/top/cells.js';
import type { Depth } from '../../src/cli/top/palette.js';
import { PANES, type Mode, type Pane } from '../../src/cli/top/state.js';
import { forAll } from '../property/for-all.js';
import { cleanMutants, killedBy, plantMutant } from '../rig/mutants.js';
import { modelOf, sessions, SGR, tasks, uiOf } from './model.js';

afterAll(cleanMutants);

type Frame = Pick<typeof built, 'frame'>;
type Cells = Pick<typeof cells, 'safe' | 'fit' | 'widthOf'>;

/** What a task, an agent or a file may be called: controls, escapes, both directions, wide and combining characters, halves of pairs. */
const NASTY = ['\u001b[2J', '\u001b]0;x\u0007', '\u0007', '\r', '\n', '\t', '\u009b31m', '\u202e', '\u200d', '\ufe0f', '漢字', '👩‍👩‍👧‍👦', '🇩🇪', '👍🏽', '1️⃣', 'é', 'e\u0301\u0302\u0303\u0304', '\ud800', '\u3164', 'ﷺ', '한글', '\u1112\u1161', '𝔘', '~', "'", '%', '#{pane_id}'];
const hostile = fc.oneof(fc.array(fc.oneof(fc.constantFrom(...NASTY), fc.string({ maxLength: 6, unit: 'binary' })), { maxLength: 8 }).map((parts) => parts.join('')), fc.constant(''));
const size = fc.record({ cols: fc.integer({ min: 1, max: 220 }), rows: fc.integer({ min: 1, max: 70 }) });
const mode = (text: string): fc.Arbitrary<Mode> =>
  fc.constantFrom<Mode>({ kind: 'browsing' }, { kind: 'helping', offset: 3 }, { kind: 'asking', question: `end ${text}?`, yes: { kind: 'none' } }, { kind: 'typing', what: { kind: 'nudge', name: text }, text }, { kind: 'typing', what: { kind: 'filter' }, text });

const scene = fc.tuple(hostile, size, fc.integer({ min: 0, max: 60 }), fc.constantFrom<Pane>(...PANES), fc.constantFrom<Depth>('plain', 'mono', '16', '256'), fc.integer({ min: 0, max: 80 })).chain(([text, screen, count, focus, depth, index]) =>
  mode(text).map((chosen) => {
    const all = { queue: tasks(count, 'ready', text), done: tasks(count, 'done', text), failed: tasks(count, 'failed', text), needs: tasks(2, 'needs', text), held: [], stuck: [] };
    const model = modelOf({
      name: `night${text}`, sessions: sessions(count, text), tasks: all, hindrance: text === '' ? undefined : text, accounts: [text], configProblem: text,
      details: new Map(all.failed.map((row) => [`failed/${row.id}`, { note: text, attempt: 2, agent: text, tookMs: 5, tokens: undefined }])), events: [`x ${text}`, text],
      preview: { of: text, kind: 'screen', lines: [text, text] },
    });
    const ui = uiOf({ focus, list: focus === 'sessions' ? 'failed' : focus, mode: chosen, notice: { text, tone: 'bad' }, cursors: { ...uiOf().cursors, [focus]: { name: undefined, index, offset: index } } });
    return { model, screen, ui, depth };
  }),
);

/** No line wider than the screen, no more lines than it has, and not one control but the view's own colours. */
function fits({ frame }: Frame): void {
  forAll(
    scene,
    ({ model, screen, ui, depth }) => {
      const lines = frame(model, screen, ui, depth);
      expect(lines.length).toBeLessThanOrEqual(screen.rows);
      for (const line of lines) {
        const bare = line.replace(SGR, '');
        if (depth === 'plain') expect(bare).toBe(line);
        expect(bare).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
        expect(stringWidth(bare)).toBeLessThanOrEqual(screen.cols);
        expect(line.lastIndexOf('\u001b[0m')).toBeGreaterThanOrEqual(line.search(SGR));
      }
    },
    150,
  );
}

function fitsCells({ safe, fit, widthOf }: Cells): void {
  forAll(fc.tuple(hostile, fc.integer({ min: 0, max: 30 })), ([text, cols]) => {
    const shown = safe(text);
    expect(shown).not.toMatch(/[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u);
    expect(widthOf(fit(shown, cols))).toBe(cols);
    expect(widthOf(fit(shown, cols, 'right'))).toBe(cols);
  });
}

describe('a frame', () => {
  it('fits its screen and lets no control through', () => fits(built));
  it('cells have exactly their width', () => fitsCells(cells));

  it('the faults that these would notice', async () => {
    const planted: [string, string, string][] = [
      ['cli/top/palette.js', 'const kept = cutLine(line, cols);', 'const kept = line;'],
      ['cli/top/columns.js', 'fit(safe(text), width, column.side)', 'fit(text, width, column.side)'],
      ['cli/top/frame.js', 'span(safe(one, 1000)', 'span(one'],
      ['cli/top/frame-footer.js', 'span(safe(notice.text)', 'span(notice.text'],
      ['cli/top/frame.js', 'Array.from({ length: rows }, () => [])', 'Array.from({ length: rows + 1 }, () => [])'],
    ];
    for (const [file, find, replace] of planted) {
      const mutant = (await import(/* @vite-ignore */ pathToFileURL(`${plantMutant(file, find, replace)}/cli/top/frame.js`).href)) as Frame;
      expect(await killedBy(fits, mutant), `${file}: ${find}`).toBe(true);
    }
  });
});
