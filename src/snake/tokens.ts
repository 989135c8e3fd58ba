import { join } from 'node:path';
import { accountsOf, parseChoice } from '../agents/choice.js';
import { keylessEnv, placeholdersOf } from '../agents/program.js';
import { sessionBase } from '../agents/session-env.js';
import type { AgentProfile } from '../agents/profile.js';
import { attemptTokens, tellsTokens } from '../agents/tokens.js';
import { err } from '../lib/result.js';
import { RUN_FILES, type AgentRecord, type AttemptRecord } from '../protocol/records.js';
import { NO_FIGURES, plusFigures, sumTokens, type TokenRecord } from '../protocol/tokens.js';
import type { Claim } from '../queue/store.js';
import { enterRun } from '../runs/enter-run.js';
import { pastAttempts, readAgent, readAttempt } from '../runs/run-dir.js';
import { sessionDirs } from '../runs/steps.js';
import type { SnakePorts, SnakeSetting } from './ports.js';
import { readStream } from './witness.js';

/** Figures of the whole session, of which only the difference to earlier attempts is this one's. */
const OF_SESSION: readonly TokenRecord['source'][] = ['transcript', 'export'];

/** Of a program that is somebody's account and tells of no tokens. */
const TELLS_NOTHING = 'its program says nowhere what it used';

/** One session's end: of an attempt, or of one step of it where each step has a directory of its own. */
export interface EndedSession {
  readonly dir: string;
  readonly attempt: AttemptRecord;
  /** Wall clock, milliseconds. */
  readonly endedAt: number;
  readonly step?: string;
}

/**
 * Counts the tokens of a session that has ended, into its agent record and the ledger, once; says whether a program was run for it,
 * which then bears the claim's marker. What cannot be counted is said there and harms nothing else.
 */
export async function countTokens(ports: SnakePorts, setting: SnakeSetting, claim: Claim, ended: EndedSession): Promise<boolean> {
  const { files } = ports;
  const { dir, attempt } = ended;
  const profile = (await setting.profiles())[attempt.profile];
  if (profile === undefined) return false;
  const tells = tellsTokens({ profile, mode: attempt.mode });
  const ran = tells && (await countInto(ports, setting, claim, ended, profile));
  const seen = await readAgent(files, dir);
  const silent = !tells && profile.account !== 'none' && (await files.exists(join(dir, RUN_FILES.session)));
  await enterRun(ports, setting.layout, { id: claim.name.id, ...ended, agent: silent ? { uncounted: TELLS_NOTHING } : seen });
  return ran;
}

/** Once for each run: what its agent record says already stays. */
async function countInto(ports: SnakePorts, setting: SnakeSetting, { name, marker }: Claim, { dir, attempt }: EndedSession, profile: AgentProfile): Promise<boolean> {
  const { files, clock } = ports;
  const known = await readAgent(files, dir);
  if (known?.tokens !== undefined || known?.uncounted !== undefined) return false;
  const stream = attempt.mode === 'headless' ? await readStream(files, profile, dir, clock.wallMs()) : undefined;
  const session = (attempt.resumed ? undefined : (known?.session ?? stream?.session)) ?? attempt.session;
  const choice = parseChoice(attempt.agent);
  const account = accountsOf(profile).find(({ key }) => key === attempt.account) ?? { name: undefined, key: attempt.account };
  const parts = { ...attempt, chosen: { ...choice, agent: profile, account }, runDir: dir, session, asRoot: setting.asRoot, outerEnv: setting.outerEnv };
  const env = { ...sessionBase(setting.outerEnv, setting.config.env), ...keylessEnv(parts, placeholdersOf(parts, 'sh')), SNAKEPIT_CLAIM: marker, SNAKEPIT_PIT: setting.pitId };
  const before = attempt.resumed ? await countedBefore(ports, setting, name.id, dir, session) : [];
  const { mode, home, workspace } = attempt;
  const counted = await attemptTokens({ files, profile, mode, session, home, workspace, runDir: dir, env, before }).catch((cause: unknown) => err(String(cause)));
  const none: AgentRecord = { state: { kind: 'unknown', source: 'none', rule: 'nothing seen', evidence: 'only its tokens were counted' }, since: clock.wallMs() };
  const baseline = attempt.resumed && before !== undefined ? { baseline: plusFigures(NO_FIGURES, sumTokens(before)) } : {};
  // A session that never began has used nothing.
  if (counted.ok || known !== undefined) await files.write(join(dir, RUN_FILES.agentEnd), `${JSON.stringify({ ...(known ?? none), ...(counted.ok ? { tokens: counted.value, ...baseline, uncounted: undefined } : { uncounted: counted.error }) })}\n`);
  return profile.transcript?.kind === 'command';
}

/** What the earlier attempts of the same session were counted; undefined where none was. */
export async function countedBefore({ files }: Pick<SnakePorts, 'files'>, { layout }: Pick<SnakeSetting, 'layout'>, id: string, dir: string, session: string): Promise<TokenRecord[] | undefined> {
  const found: TokenRecord[] = [];
  for (const past of await pastAttempts(files, layout, id)) {
    for (const run of await sessionDirs(files, past.dir)) {
      const tokens = run === dir ? undefined : (await readAgent(files, run))?.tokens;
      if (tokens?.session === session && OF_SESSION.includes(tokens.source)) found.push(tokens);
    }
  }
  return found.length === 0 ? undefined : found;
}

/** Counts what was left uncounted: attempts that somebody else settled, or that were called back in haste. Before the next one adds to their sessions. */
export async function countPast(ports: SnakePorts, setting: SnakeSetting, claim: Claim): Promise<void> {
  for (const { run: dir, record } of await pastAttempts(ports.files, setting.layout, claim.name.id)) {
    if (await ports.files.exists(join(dir, RUN_FILES.entered))) continue;
    const attempt = await readAttempt(ports.files, dir);
    if (attempt !== undefined) await countTokens(ports, setting, claim, { dir, attempt, endedAt: record.endedAt, ...(attempt.step === undefined ? {} : { step: attempt.step.id }) });
  }
}
