import * as fs from 'node:fs';
import { join } from 'node:path';
import { linuxProcesses } from '../../src/lib/linux-processes.js';
import type { OutcomeRecord } from '../../src/runs/run-dir.js';
import type { Pit } from '../rig/pit.js';
import type { TaskPlan, Witness } from './witness.js';

/* What must hold of a pit that has ended all its tasks, whatever was killed on the way. Each function gives the faults it found. */

export function auditTasks(pit: Pit, plans: readonly TaskPlan[], witness: Witness): string[] {
  const faults = witness.violations().map((one) => `two at once: ${one}`);
  for (const plan of plans) faults.push(...auditTask(pit, plan, witness).map((fault) => `${plan.id}: ${fault}`));
  return faults;
}

function auditTask(pit: Pit, { id, habit }: TaskPlan, witness: Witness): string[] {
  const faults: string[] = [];
  const attempts = attemptsOf(pit, id);
  const starts = witness.seen(id, 'start');
  for (const marker of new Set(starts)) if (starts.indexOf(marker) !== starts.lastIndexOf(marker)) faults.push(`${marker} was started twice`);
  let before = [0, 0, 0];
  for (const [index, { marker, attempt, next, outcome }] of attempts.entries()) {
    const counters = countersOf(marker);
    if (String(counters) !== String(before)) faults.push(`attempt ${index + 1} has the counters ${counters.join('.')}, not ${before.join('.')}`);
    if (attempt !== index + 1 || attempt !== sum(counters) + 1) faults.push(`attempt ${index + 1} calls itself ${attempt}, with the counters ${counters.join('.')}`);
    if (index < attempts.length - 1 && next.kind !== 'again' && next.kind !== 'parked') faults.push(`attempt ${index + 1} was the last (${next.kind}), and there are ${attempts.length}`);
    if (next.kind === 'done') continue;
    const after = [next.counters.failures, next.counters.losses, next.counters.deferrals];
    const moved = { failed: 0, lost: 1, released: 2, deferred: 2, parked: 2, 'sent-back': 2, 'not-set-up': 2, done: -1 }[outcome.kind];
    if (String(after) !== String(before.map((count, at) => (at === moved ? count + 1 : count)))) faults.push(`attempt ${index + 1}, ${outcome.kind}, moved the counters from ${before.join('.')} to ${after.join('.')}`);
    before = after;
  }
  const last = attempts.at(-1);
  if (last === undefined) return [...faults, 'no outcome is recorded'];
  const end = habit === 'fails' ? 'failed' : 'done';
  if (last.next.kind !== end) faults.push(`it ended ${last.next.kind}: ${JSON.stringify(last)}`);
  // One that was merged, and whose worker died before it could say so, is done without another session.
  const earlier = last.outcome.kind === 'done' && / was merged into /.test(last.outcome.message);
  if (!attempts.some(({ marker }) => (earlier || marker === last.marker) && witness.seen(id, 'end').includes(marker))) faults.push(`its last attempt ${last.marker} never came to its end`);
  const strangers = starts.filter((marker) => !attempts.some((one) => one.marker === marker));
  if (strangers.length > 0) faults.push(`started without an outcome: ${strangers.join(', ')}`);
  const story = readOr(join(pit.layout.dir(end), `${id}.result.md`));
  const said = /after (\d+) attempts?$/m.exec(story)?.[1];
  if (said !== String(attempts.length)) faults.push(`its story tells of ${said ?? 'no'} attempts, there were ${attempts.length}`);
  return faults;
}

/** The recorded attempts of a task, by number. */
export function attemptsOf(pit: Pit, id: string): OutcomeRecord[] {
  const dir = join(pit.layout.runs, id);
  const names = fs.existsSync(dir) ? fs.readdirSync(dir).filter((name) => /^\d{3,}-/.test(name)).sort() : [];
  return names.flatMap((name) => {
    const text = readOr(join(dir, name, 'outcome.json'));
    return text === '' ? [] : [JSON.parse(text) as OutcomeRecord];
  });
}

const countersOf = (marker: string): number[] => (marker.split('~')[1] ?? '').split('.').map(Number);
const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

function readOr(file: string): string {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
}

/** Every id once, in its place, with its story; nothing anywhere else. */
export function auditQueue(pit: Pit, plans: readonly TaskPlan[]): string[] {
  const faults: string[] = [];
  const expected = (fails: boolean): string[] => plans.filter((plan) => (plan.habit === 'fails') === fails).flatMap(({ id }) => [`${id}.md`, `${id}.result.md`]);
  for (const [state, wanted] of [['done', expected(false)], ['failed', expected(true)]] as const) {
    const there = new Set(pit.files(state, true));
    const should = new Set(wanted);
    for (const name of should) if (!there.has(name)) faults.push(`${name} is not in ${state}/`);
    for (const name of there) if (!should.has(name)) faults.push(`${name} should not be in ${state}/`);
  }
  for (const state of ['ready', 'waiting', 'held', 'claimed', 'reaping', 'stuck', 'needs'] as const) for (const name of pit.files(state, true)) faults.push(`${name} is left in ${state}/`);
  for (const entry of fs.readdirSync(pit.layout.queue, { withFileTypes: true })) if (!entry.isDirectory()) faults.push(`${entry.name} is left in queue/`);
  return faults;
}

/** Each lock is one file, free or held by somebody dead. */
export async function auditLocks(pit: Pit): Promise<string[]> {
  const faults: string[] = [];
  const locks = join(pit.layout.state, 'locks');
  for (const lock of fs.readdirSync(locks)) {
    const names = fs.readdirSync(join(locks, lock));
    if (names.length !== 1) faults.push(`the lock ${lock} is ${names.length} files: ${names.join(', ')}`);
    for (const name of names) {
      const held = /^held~(\d+)~(\d+)~([0-9a-f]{8})$/.exec(name);
      if (held !== null && (await linuxProcesses.liveness({ pid: Number(held[1]), start: held[2] ?? '', boot: held[3] ?? '' })) !== 'dead') faults.push(`the lock ${lock} is held by a living process: ${name}`);
      if (held === null && name !== 'free') faults.push(`the lock ${lock} has a strange file: ${name}`);
    }
  }
  return faults;
}

/** Half-written files outside runs/, and registrations of snakes that are gone. What a wrapper was writing when it was ended goes with its run, also a resident's. */
export function auditLeftovers(pit: Pit): string[] {
  const left = [pit.layout.queue, pit.layout.state].flatMap((top) => fs.readdirSync(top, { recursive: true, encoding: 'utf8' }).map((name) => join(top, name)));
  const residents = `${pit.layout.residents}/`;
  const temporary = left.filter((path) => !path.startsWith(`${pit.layout.runs}/`) && (path.endsWith('.tmp') || (!path.startsWith(residents) && /\/\.(session|exit)\.[^/]*$/.test(path))));
  return [...temporary.map((path) => `half-written, and left: ${path}`), ...fs.readdirSync(pit.layout.snakes).map((name) => `a registration is left: ${name}`)];
}
