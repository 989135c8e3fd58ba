/** What the screen of fake-tui.mjs shows, as a classifier would tell it. */
export function fakeLook(capture) {
  const rows = capture.text.split('\n').map((row) => row.trimEnd());
  const dialog = rows.find((row) => row.startsWith('▲ '));
  if (dialog !== undefined) return { kind: 'blocked-on-dialog', dialog };
  const rules = rows.flatMap((row, at) => (/^─{20,}$/.test(row) ? [at] : []));
  const [top, bottom] = rules.slice(-2);
  if (bottom === undefined) return { kind: rows.some((row) => row.startsWith('starting')) ? 'starting' : 'unknown' };
  return {
    kind: rows.some((row) => row.startsWith('* Working…')) ? 'working' : 'idle',
    draft: rows.slice(top + 1, bottom).map((row) => row.slice(2)).join('\n'),
  };
}

/** What fake-tui.mjs tells of prompts, from its file of events. */
export function fakeProof(readText, records) {
  const lines = () => readText().split('\n').filter((line) => line !== '');
  return {
    records,
    open: async () => {
      const before = lines().length;
      return async () => lines().slice(before).map((line) => ({ source: 'event', prompt: JSON.parse(line).prompt, what: 'UserPromptSubmit' }));
    },
  };
}

/** What delivery knows of fake-tui.mjs. */
export const FAKE_TARGET = {
  key: 'Enter', queueKey: undefined, spareKey: 'hex:0d', folded: [/\[Pasted text #\d+ \+(?<lines>\d+) lines\]/gu], quietMs: 1000,
  policy: { patienceMs: 1500, lookEveryMs: 30, calmLooks: 2, settleMs: 200, fresh: false, landMs: 1500, stillLooks: 2, delayMs: 60, retryMs: 250, maxKeys: 4, proofMs: 1500, graceMs: 250, busy: 'type' },
};
