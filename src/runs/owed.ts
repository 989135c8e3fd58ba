import { join } from 'node:path';
import type { AgentProfile } from '../agents/profile.js';
import { tellsTokens } from '../agents/tokens.js';
import { take } from '../lib/baton.js';
import type { Files } from '../lib/files.js';
import type { Processes } from '../lib/processes.js';
import type { Layout } from '../protocol/layout.js';
import { parseExit, parseSession, RUN_FILES, type AttemptRecord } from '../protocol/records.js';
import { countRun, isPrinted, type CountPorts, type CountSetting } from './count-run.js';
import { enterRun } from './enter-run.js';
import { readAttempt, readOutcome } from './run-dir.js';
import { standingClaims } from './standing.js';
import { sessionDirs } from './steps.js';

/*
 * What attempts have used whose snake died before it was counted, was called back in haste, or whom somebody else settled. A session
 * that has ended is owed as long as its directory bears no mark of the ledger. Whoever settles an attempt counts it under its
 * claim; what is owed when no claim stands is counted under the task's lock, which the next attempt asks for before it adds to a session:
 *
 *     ended, not entered ──lock──► figures in the agent record ──► line in the ledger ──► mark ──► entered
 *
 * Killed between any two, whoever comes next goes on with the figures that stand, and writes the same line, which readers take once.
 */

/** A session that has ended, and is not in the ledger. */
export interface Owed {
  readonly id: string;
  readonly dir: string;
  readonly attempt: AttemptRecord;
}

export interface OwedPorts extends CountPorts {
  readonly processes: Processes;
}

const ATTEMPT = /^\d{3,}-([0-9a-z]{10})$/;

/** The nonces of all claims that stand, those of stuck tasks among them. Looked at twice: a claim that is renamed in its directory while that is read may be missed once. */
export async function standingNonces(files: Files, layout: Layout): Promise<ReadonlySet<string>> {
  const nonces = new Set<string>();
  for (let look = 0; look < 2; look += 1) for (const { nonce } of await standingClaims(files, layout)) nonces.add(nonce);
  return nonces;
}

/** The sessions of a task that are owed. `standing`: their claims, whose holders count them. */
export async function owedRuns(files: Files, { layout, profiles }: Pick<CountSetting, 'layout' | 'profiles'>, id: string, standing: ReadonlySet<string>): Promise<Owed[]> {
  const owed: Owed[] = [];
  for (const name of await files.list(join(layout.runs, id))) {
    const nonce = ATTEMPT.exec(name)?.[1];
    if (nonce === undefined || standing.has(nonce)) continue;
    for (const dir of await sessionDirs(files, join(layout.runs, id, name))) {
      if ((await files.exists(join(dir, RUN_FILES.entered))) || !(await files.exists(join(dir, RUN_FILES.session)))) continue;
      const attempt = await readAttempt(files, dir);
      if (attempt !== undefined && isSomebodys((await profiles())[attempt.profile], attempt)) owed.push({ id, dir, attempt });
    }
  }
  return owed.sort((a, b) => a.attempt.startedAt - b.attempt.startedAt);
}

/** A program that tells nothing and is nobody's account leaves no line. */
const isSomebodys = (profile: AgentProfile | undefined, { account, mode }: AttemptRecord): boolean => (profile === undefined ? !account.startsWith('none.') : profile.account !== 'none' || tellsTokens({ profile, mode }));

/** "clear": nothing is owed any more. "held": somebody else counts this task's. "left": what only its program can tell, or what runs still. */
export interface CountedOwed {
  readonly kind: 'clear' | 'held' | 'left';
  /** Sessions that were entered now. */
  readonly entered: number;
}

/**
 * Counts what a task owes, oldest first, since a resumed session's later attempts are reckoned from its earlier ones. `programs`: also what is had by
 * running a program, up to half a minute each. `marker`: the claim of the task's next attempt, where that is who asks.
 */
export async function countOwed(ports: OwedPorts, setting: CountSetting, id: string, { programs, marker }: { readonly programs: boolean; readonly marker?: string }): Promise<CountedOwed> {
  const { files, processes } = ports;
  const { layout } = setting;
  if ((await owedRuns(files, setting, id, await standingNonces(files, layout))).length === 0) return { kind: 'clear', entered: 0 };
  const lock = await take(files, processes, join(layout.runs, id, 'counting'));
  if (lock.kind === 'held') return { kind: 'held', entered: 0 };
  try {
    let entered = 0;
    let left = false;
    const standing = await standingNonces(files, layout);
    for (const one of await owedRuns(files, setting, id, standing)) {
      const leader = parseSession(await files.read(join(one.dir, RUN_FILES.session)), one.attempt.boot)?.leader;
      // What comes after it in its session is reckoned from it, so nothing is counted beyond.
      if ((leader !== undefined && (await processes.liveness(leader)) !== 'dead') || !(await countOne(ports, setting, one, programs, marker))) {
        left = true;
        break;
      }
      entered += 1;
    }
    return { kind: left ? 'left' : 'clear', entered };
  } finally {
    await lock.release();
  }
}

/** Whether it is no longer owed. */
async function countOne(ports: OwedPorts, setting: CountSetting, { id, dir, attempt }: Owed, programs: boolean, marker: string | undefined): Promise<boolean> {
  const { files, clock } = ports;
  const profile = (await setting.profiles())[attempt.profile];
  if (isPrinted(profile) && !programs) return false;
  const record = await readOutcome(files, attemptDir(dir));
  const endedAt = record?.endedAt ?? parseExit(await files.read(join(dir, RUN_FILES.exit)))?.endedAt ?? clock.wallMs();
  const ended = { id, dir, attempt, endedAt, ...(attempt.step === undefined ? {} : { step: attempt.step.id }), ...(marker === undefined ? {} : { marker }) };
  const came = profile === undefined ? await enterRun(ports, setting.layout, { ...ended, agent: { uncounted: `no agent is called ${attempt.profile} any more` } }) : (await countRun(ports, setting, ended)).entered;
  // It began and used nothing: that is settled too.
  if (came === 'nothing') await files.write(join(dir, RUN_FILES.entered), '');
  return came !== 'failed';
}

/** Of a step's directory the one of its attempt. */
const attemptDir = (dir: string): string => (/\/steps\/[^/]+$/.test(dir) ? join(dir, '..', '..') : dir);
