import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { choicesOn } from '../../src/agents/dialog/rows.js';
import { screenPart } from '../../src/agents/profile.js';
import { agree, classifyScreen, type ScreenState } from '../../src/agents/screen.js';
import { cleanMutants, importMutant } from '../rig/mutants.js';
import { figures, screenProfiles, screens, type Figures, type ScreenProfiles } from './figures.mjs';

const PROFILES = screenProfiles(screenPart);
const CORPUS = screens();
const NOW = Date.UTC(2026, 10, 21, 9, 30);

function see(name: string): ScreenState {
  const screen = CORPUS.find((one) => one.name === name);
  const profile = PROFILES[screen?.program ?? ''];
  if (screen === undefined || profile === undefined) throw new Error(`no such screen: ${name}`);
  return classifyScreen(profile.screen, profile.dialogs, { title: screen.title, text: screen.text, dead: screen.dead, nowMs: NOW });
}

/** The bars: they hold of the classifier, and of none of the mutants. */
function bars(result: Figures): void {
  expect(result.quietly.map(({ name, state }) => `${name}: ${state.rule}`), 'works, waits or failed, and was called idle').toEqual([]);
  expect(result.limited.map(({ name, state }) => `${name}: ${state.rule}`), 'called limited and is not').toEqual([]);
  expect(result.wrong.filter(({ group }) => group === 'bait').map(({ name, state }) => `${name}: ${state.kind}`), 'fooled by a quotation').toEqual([]);
  expect(result.right / result.total).toBeGreaterThanOrEqual(0.97);
}

function misses(result: Figures): boolean {
  try {
    bars(result);
    return false;
  } catch {
    return true;
  }
}

describe('labelled screens', () => {
  it('are read right, and the two forbidden errors never happen', () => bars(figures(classifyScreen, PROFILES, CORPUS)));

  it('are many, and of every program that has screen rules', () => {
    expect(CORPUS.filter(({ group }) => group === 'recorded').length).toBeGreaterThanOrEqual(77);
    expect(CORPUS.filter(({ group }) => group !== 'recorded').length).toBeGreaterThanOrEqual(40);
    for (const program of Object.keys(PROFILES)) expect(CORPUS.some((screen) => screen.program === program), program).toBe(true);
  });

  it('of programs without screen rules are unknown, never idle', () => {
    expect(figures(classifyScreen, PROFILES, CORPUS).wrong.filter(({ name }) => /^(amp|droid|kimi|shell)-/u.test(name))).toEqual([]);
  });

  it('of a dead pane are never idle, whoever painted them', () => {
    for (const screen of CORPUS) {
      const profile = PROFILES[screen.program];
      if (profile !== undefined) expect(classifyScreen(profile.screen, profile.dialogs, { title: screen.title, text: screen.text, dead: true }).kind).toBe('exited');
    }
  });
});

describe('what stands beside the state', () => {
  it('the end of a limit', () => {
    const at = (name: string): string => new Date(see(name).resetAt ?? 0).toISOString();
    expect(at('codex-limit-date')).toBe(new Date(2026, 10, 28, 12, 32).toISOString());
    expect(at('claude-error-after-tools')).toBe('2026-11-25T16:00:00.000Z');
    expect(at('gemini-limit-dialog')).toBe('2026-11-21T12:36:00.000Z');
    expect(see('pi-0.87.1-err-limit').resetAt).toBe(1_795_266_521_000);
    expect(see('w40-pi-0.87.1-err-limit').resetAt).toBe(1_795_266_521_000);
    for (const name of ['claude-2.1.329-oauth-err-limit', 'w40-claude-2.1.329-oauth-err-limit', 'codex-0.169.0-err-limit', 'w40-codex-0.169.0-err-limit']) expect(see(name).resetAt, name).toBeGreaterThan(NOW);
  });

  it('the draft: what was typed, "" for a placeholder, nothing without a box', () => {
    expect(see('codex-0.169.0-typed-not-submitted').draft).toBe('please [[slow:8]]');
    expect(see('opencode-1.18.33-typed-not-submitted').draft).toBe('please [[slow:8]]');
    expect(see('claude-2.1.329-interrupted-esc').draft).toBe('e [[401]]');
    expect(see('opencode-1.18.33-retrying-529').draft, 'the column beside it').toBe('');
    expect(see('codex-draft-numbered').draft).toBe('1. Yes, read the file\n2. No, do not write\n\nthen stop');
    expect(see('claude-draft-many-lines').draft).toBe("You've hit your 5-hour limit · resets 12:24pm (UTC)\nDo you want to proceed?\n\n1. Yes\n2. No");
    expect(see('gemini-draft').draft).toBe('✕ [API Error: {"error":{"code":401}}] what is it?\nUsage limit reached');
    expect(see('kilo-draft').draft).toBe('esc interrupt [retrying in 6s attempt #3]\nUsage limit reached');
    expect(see('pi-draft').draft).toBe('esc to interrupt\nError: 429: {"usage_limit_reached"}');
    for (const name of ['claude-2.1.329-err-500', 'codex-0.169.0-idle', 'gemini-0.61.0-finished', 'opencode-1.18.33-idle', 'pi-0.87.1-finished', 'claude-placeholder-queued', 'qwen-idle']) expect(see(name).draft, name).toBe('');
    for (const name of ['claude-2.1.329-permission-write', 'codex-0.169.0-trust-dialog', 'gemini-0.61.0-permission-bash', 'opencode-1.18.33-permission-bash']) expect(see(name).draft, name).toBeUndefined();
  });

  it('two looks agree by state and dialog, whatever is typed meanwhile', () => {
    const idle = see('claude-2.1.329-finished');
    expect(agree(undefined, idle)).toBe(false);
    expect(agree(idle, { ...idle, draft: 'x' })).toBe(true);
    expect(agree(see('claude-2.1.329-working-early'), idle)).toBe(false);
    expect(agree(see('claude-trust'), see('claude-2.1.329-bypass-dialog'))).toBe(false);
  });
});

describe('dialogs', () => {
  it('that are answered show the label of the safe choice on a line of its own', () => {
    for (const screen of CORPUS.filter(({ group, dead }) => !dead && group !== 'bait')) {
      const profile = PROFILES[screen.program];
      const shown = profile === undefined ? undefined : see(screen.name).dialog;
      const dialog = profile?.dialogs.find(({ id }) => id === shown);
      if (dialog?.answer === undefined) continue;
      const { labelled, mark } = choicesOn(dialog.answer, screen.text);
      expect(labelled, screen.name).toBe(1);
      expect(mark, screen.name).not.toBe('');
    }
  });

  it('whose every answer lasts are nobody\'s to press', () => expect(see('claude-plan')).toMatchObject({ kind: 'blocked-on-permission', dialog: 'permission-other' }));

  it('of permission are answered for once: the first row, and nothing that lasts or says another thing', () => {
    const asking = CORPUS.filter(({ name, program, dead }) => ['claude', 'codex', 'gemini'].includes(program) && !dead && see(name).dialog === 'permission');
    expect(new Set(asking.map(({ program }) => program)).size).toBe(3);
    for (const { name, program, text } of asking.filter((one) => one.group !== 'bait')) {
      const answer = PROFILES[program]?.dialogs.find(({ id }) => id === 'permission')?.answer;
      if (answer === undefined) throw new Error(`${program} has no answer`);
      expect(choicesOn(answer, text), name).toMatchObject({ labelled: 1, chosen: true });
      for (const other of ['Yes, and don\'t ask again', 'Yes, and bypass permissions', 'Yes, grant these permissions for this turn', 'Allow for this session', 'Allow once and for all']) {
        const row = /(?<=[❯›●] )1\. (?:Yes, proceed \(y\)|Yes|Allow once)(?= *│?$)/mu;
        expect(row.test(text), name).toBe(true);
        expect(choicesOn(answer, text.replace(row, `1. ${other}`)), `${name}: ${other}`).toMatchObject({ labelled: 0, chosen: false });
        if (other === 'Allow once and for all' || (program !== 'gemini' && other.startsWith('Allow'))) continue;
        // What is asked about may quote the answer, cursor and all.
        const forged = text.replace(row, `1. ${other}`).replace(/(?=^.*(?:Do you want to|Would you like to|Allow execution|Apply this change))/mu, ` ${program === 'codex' ? '›' : program === 'gemini' ? '●' : '❯'} ${row.exec(text)?.[0] ?? ''}\n`);
        const profile = PROFILES[program];
        expect(profile === undefined ? undefined : classifyScreen(profile.screen, profile.dialogs, { title: '', text: forged }).dialog, `${name}: ${other}`).toBe('permission-other');
      }
    }
  });
});

describe('time', () => {
  it('a screen made to be slow costs no more than any other', () => {
    const evil = ['Do you want to 1. Yes 2. ', '● 1. ', '┃ ┃ ', '⬝ [retrying', 'Esc to cancel ', 'Usage limit reached for ', '■ You’ve hit your usage limit try again at ', '─────────', ' '];
    const started = performance.now();
    for (const { screen, dialogs } of Object.values(PROFILES)) {
      for (const text of evil) classifyScreen(screen, dialogs, { title: text.repeat(50), text: `${text.repeat(40)}\n`.repeat(80) });
    }
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

describe('mutants are caught', () => {
  afterAll(cleanMutants);
  const mutate = (change: (profile: ScreenProfiles[string]) => void): ScreenProfiles => {
    const copy = structuredClone(PROFILES);
    for (const profile of Object.values(copy)) change(profile);
    return copy;
  };
  it.each<[string, (profile: ScreenProfiles[string]) => void]>([
    ['no working sign', ({ screen }) => (screen.rules = screen.rules.filter(({ state }) => state !== 'working'))],
    ['no title', ({ screen }) => (screen.rules = screen.rules.filter((rule) => rule.in !== 'title'))],
    ['errors anywhere near the box, not only as the last word', ({ screen }) => (screen.rules = screen.rules.map((rule) => (rule.in === 'turn' ? { ...rule, in: 'status' as const } : rule)))],
    ['errors that hang on anything', ({ screen }) => screen.rules.forEach((rule) => void delete rule.above)],
    ['no margin marks', ({ screen }) => void delete screen.entry],
    ['boxes of history', ({ screen }) => void delete screen.box.past],
    ['no dialogs', (profile) => (profile.dialogs = [])],
  ])('%s', (_, change) => expect(misses(figures(classifyScreen, mutate(change), CORPUS))).toBe(true));

  it.each([
    ['a dead pane looked at', 'if (input.dead === true)', 'if (false)'],
    ['dialogs believed beside a live box', 'if (box === undefined) {', 'if (true) {'],
    ['idle before anything else', '[false, true]', '[true, false]'],
    ['what nothing explains is idle', "kind: 'unknown'", "kind: 'idle'"],
    ['status lines from before the end of the turn', 'over + 1', '0'],
  ])('%s', async (_, find, replace) => {
    const { classifyScreen: mutant } = (await importMutant('agents/screen.js', find, replace)) as { classifyScreen: typeof classifyScreen };
    expect(misses(figures(mutant, PROFILES, CORPUS))).toBe(true);
  });
});

it('every label on disk was counted', () => {
  expect(readFileSync(new URL('labels.yaml', import.meta.url), 'utf8').split('\n').filter((line) => /^ {2}\S/u.test(line))).toHaveLength(CORPUS.length);
});
