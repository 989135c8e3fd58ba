import { join } from 'node:path';
import { accountsOf, parseChoice, type Profiles } from '../agents/choice.js';
import { keylessEnv, placeholdersOf } from '../agents/program.js';
import type { AgentProfile } from '../agents/profile.js';
import { sessionBase } from '../agents/session-env.js';
import { attemptTokens, tellsTokens, TOO_LARGE } from '../agents/tokens.js';
import type { Config } from '../config/config.js';
import type { EventSink } from '../events/event-log.js';
import type { Clock } from '../lib/clock.js';
import type { Files } from '../lib/files.js';
import { err } from '../lib/result.js';
import type { Layout } from '../protocol/layout.js';
import { RUN_FILES, type AgentRecord, type AttemptRecord } from '../protocol/records.js';
import { NO_FIGURES, plusFigures, sumTokens, type TokenRecord } from '../protocol/tokens.js';
import { enterRun, type Entered } from './enter-run.js';
import { pastAttempts, readAgent } from './run-dir.js';
import { sessionDirs } from './steps.js';
import { readStream } from './stream.js';
import { readUsage } from './usage.js';

/** Figures of the whole session, of which only the difference to earlier attempts is this one's. */
const OF_SESSION: readonly TokenRecord['source'][] = ['transcript', 'export'];

/** Of a program that is somebody's account and tells of no tokens. */
export const TELLS_NOTHING = 'its program says nowhere what it used';

export interface CountPorts {
  readonly files: Files;
  readonly clock: Clock;
  readonly events: EventSink;
}

export interface CountSetting {
  readonly layout: Layout;
  readonly config: Pick<Config, 'env'>;
  readonly pitId: string;
  readonly asRoot: boolean;
  /** What a program that prints its own transcript may inherit from, by allow-list. */
  readonly outerEnv: Readonly<Record<string, string | undefined>>;
  profiles(): Promise<Profiles>;
}

/** One session's end: of an attempt, or of one step of it where each step has a directory of its own. */
export interface EndedSession {
  /** The task's. */
  readonly id: string;
  readonly dir: string;
  readonly attempt: AttemptRecord;
  /** Wall clock, milliseconds. */
  readonly endedAt: number;
  readonly step?: string;
  /** Borne by a program that prints its own transcript, so that whoever ends the claim ends it; left out where no claim stands: then only its time ends it. */
  readonly marker?: string;
}

/** `ran`: a program was run for it. */
export interface Counted {
  readonly ran: boolean;
  readonly entered: Entered;
}

/** Whether its figures are had by running its program: seconds, and a process. */
export const isPrinted = (profile: AgentProfile | undefined): boolean => profile?.transcript?.kind === 'command';

/**
 * Counts the tokens of a session that has ended, into its agent record and the ledger, once. What cannot be counted is said there and harms nothing else. The caller sees to it that nobody
 * else counts it, or adds to its session, meanwhile: by the claim that it holds, or as `countOwed` does.
 */
export async function countRun(ports: CountPorts, setting: CountSetting, ended: EndedSession): Promise<Counted> {
  const { files } = ports;
  const { dir, attempt } = ended;
  const profile = (await setting.profiles())[attempt.profile];
  if (profile === undefined) return { ran: false, entered: 'nothing' };
  const tells = tellsTokens({ profile, mode: attempt.mode });
  const ran = tells && (await countInto(ports, setting, ended, profile));
  const seen = await readAgent(files, dir);
  const silent = !tells && profile.account !== 'none' && (await files.exists(join(dir, RUN_FILES.session)));
  return { ran, entered: await enterRun(ports, setting.layout, { ...ended, agent: silent ? { uncounted: TELLS_NOTHING } : seen }) };
}

/** Once for each run: what its agent record says already stays. The record is on disk before the line is, so that whoever is killed in between enters the same figures again. */
async function countInto(ports: CountPorts, setting: CountSetting, { id, dir, attempt, marker }: EndedSession, profile: AgentProfile): Promise<boolean> {
  const { files, clock } = ports;
  const known = await readAgent(files, dir);
  if (known?.tokens !== undefined || known?.uncounted !== undefined) return false;
  const stream = attempt.mode === 'headless' ? await readStream(files, profile, dir, clock.wallMs()) : undefined;
  const session = (attempt.resumed ? undefined : (known?.session ?? stream?.session)) ?? attempt.session;
  const before = attempt.resumed ? await countedBefore(files, setting.layout, id, dir, session) : [];
  const { mode, home, workspace } = attempt;
  const env = countEnv(setting, attempt, profile, dir, session, marker);
  const counted = await attemptTokens({ files, profile, mode, session, home, workspace, runDir: dir, env, before }).catch((cause: unknown) => err(String(cause)));
  const none: AgentRecord = { state: { kind: 'unknown', source: 'none', rule: 'nothing seen', evidence: 'only its tokens were counted' }, since: clock.wallMs() };
  const baseline = attempt.resumed && before !== undefined ? { baseline: plusFigures(NO_FIGURES, sumTokens(before)) } : {};
  // A session that never began has used nothing.
  const began = known !== undefined || (stream?.events ?? 0) > 0 || (!counted.ok && counted.error === TOO_LARGE) || (await readUsage(files, dir)) !== undefined;
  if (counted.ok || began) await files.write(join(dir, RUN_FILES.agentEnd), `${JSON.stringify({ ...(known ?? none), ...(counted.ok ? { tokens: counted.value, ...baseline, uncounted: undefined } : { uncounted: counted.error }) })}\n`);
  return isPrinted(profile);
}

/** The environment of a program that prints a transcript: the session's own without its keys. */
export function countEnv(setting: CountSetting, attempt: AttemptRecord, profile: AgentProfile, dir: string, session: string, marker: string | undefined): Record<string, string> {
  const account = accountsOf(profile).find(({ key }) => key === attempt.account) ?? { name: undefined, key: attempt.account };
  const parts = { ...attempt, chosen: { ...parseChoice(attempt.agent), agent: profile, account }, runDir: dir, session, asRoot: setting.asRoot, outerEnv: setting.outerEnv };
  return { ...sessionBase(setting.outerEnv, setting.config.env), ...keylessEnv(parts, placeholdersOf(parts, 'sh')), ...(marker === undefined ? {} : { SNAKEPIT_CLAIM: marker, SNAKEPIT_PIT: setting.pitId }) };
}

/** What the earlier attempts of the same session were counted; undefined where none was. */
export async function countedBefore(files: Files, layout: Layout, id: string, dir: string, session: string): Promise<TokenRecord[] | undefined> {
  const found: TokenRecord[] = [];
  for (const past of await pastAttempts(files, layout, id)) {
    for (const run of await sessionDirs(files, past.dir)) {
      const tokens = run === dir ? undefined : (await readAgent(files, run))?.tokens;
      if (tokens?.session === session && OF_SESSION.includes(tokens.source)) found.push(tokens);
    }
  }
  return found.length === 0 ? undefined : found;
}
