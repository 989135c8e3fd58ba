import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

/*
 * The labelled screens and what a classifier makes of them; the report (over dist) and the test (over src) count alike.
 */

const HERE = new URL('./', import.meta.url);
const PROFILES = new URL('../../profiles/', import.meta.url);

/** Label → the states that are right. */
export const RIGHT = {
  idle: ['idle', 'finished'],
  finished: ['finished'],
  working: ['working'],
  retrying: ['retrying'],
  blocked_permission: ['blocked-on-permission'],
  blocked_dialog: ['blocked-on-dialog'],
  blocked_trust: ['blocked-on-dialog'],
  blocked_login: ['blocked-on-dialog', 'auth-failed'],
  blocked_question: ['waiting-for-input'],
  auth_error: ['auth-failed'],
  api_error: ['errored'],
  rate_limit: ['rate-limited'],
  limit: ['usage-limited'],
  billing_error: ['usage-limited'],
  context_full: ['context-exhausted'],
  exited: ['exited', 'crashed'],
  unknown: ['unknown', 'starting'],
};

const QUIET = new Set(['idle', 'finished']);
const LIMITED = new Set(['usage-limited', 'rate-limited']);

/** Every saved screen with its labels. `group`: the part of labels.yaml that names it. */
export function screens() {
  const labels = parse(readFileSync(new URL('labels.yaml', HERE), 'utf8'));
  const found = new Map();
  for (const [group, names] of Object.entries(labels)) for (const [name, value] of Object.entries(names)) found.set(name, { group, labels: value });
  const files = readdirSync(new URL('screens/', HERE)).filter((file) => file.endsWith('.txt')).map((file) => file.slice(0, -4));
  for (const name of found.keys()) if (!files.includes(name)) throw new Error(`labels.yaml names ${name}, which is not in ${fileURLToPath(new URL('screens/', HERE))}`);
  return files.sort().map((name) => {
    const label = found.get(name);
    if (label === undefined) throw new Error(`screens/${name}.txt has no label in labels.yaml`);
    const source = readFileSync(new URL(`screens/${name}.txt`, HERE), 'utf8');
    const at = source.indexOf('---\n');
    const head = Object.fromEntries(source.slice(0, at).trimEnd().split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]));
    return { name, ...label, program: head.program, dead: head.dead === 'yes', title: head.title ?? '', text: source.slice(at + 4) };
  });
}

/** The screen parts of the built-in profiles, by name. `schema`: screenPart of profile.ts. */
export function screenProfiles(schema) {
  const profiles = {};
  for (const file of readdirSync(PROFILES).filter((name) => name.endsWith('.yaml'))) {
    const { interactive } = parse(readFileSync(new URL(file, PROFILES), 'utf8'));
    if (interactive?.screen !== undefined) profiles[file.replace(/\.yaml$/, '')] = schema.parse(interactive);
  }
  return profiles;
}

/** A program without a profile: nothing is known of its screen. */
const NOTHING = { screen: { box: { first: '(?!)', more: '(?!)' }, placeholders: [], rules: [] }, dialogs: [] };

/**
 * The figures. `quietly`: works or is blocked, and was called idle. `limited`: called limited, and is not. `right` and
 * `total` are of the programs that have screen rules; a screen of any other must come out as "unknown" or dead, or it is wrong.
 */
export function figures(classify, profiles, corpus = screens(), nowMs = Date.UTC(2026, 10, 21, 9, 30)) {
  const programs = {};
  const wrong = [];
  const quietly = [];
  const limited = [];
  let right = 0;
  let total = 0;
  for (const screen of corpus) {
    const profile = profiles[screen.program] ?? NOTHING;
    const state = classify(profile.screen, profile.dialogs, { title: screen.title, text: screen.text, dead: screen.dead, nowMs });
    const allowed = profiles[screen.program] === undefined && !screen.dead ? RIGHT.unknown : screen.labels.flatMap((label) => RIGHT[label]);
    const count = (programs[screen.program] ??= { right: 0, total: 0, ruled: profiles[screen.program] !== undefined });
    count.total += 1;
    total += count.ruled ? 1 : 0;
    const one = { name: screen.name, group: screen.group, labels: screen.labels, state };
    if (allowed.includes(state.kind)) {
      count.right += 1;
      right += count.ruled ? 1 : 0;
      continue;
    }
    wrong.push(one);
    if (QUIET.has(state.kind) && !screen.labels.includes('idle')) quietly.push(one);
    if (LIMITED.has(state.kind)) limited.push(one);
  }
  return { right, total, programs, wrong, quietly, limited };
}
