import { join } from 'node:path';
import { accountsOf, parseChoice } from '../agents/choice.js';
import { keylessEnv, placeholdersOf } from '../agents/program.js';
import { sessionBase } from '../agents/session-env.js';
import { attemptTokens, tellsTokens } from '../agents/tokens.js';
import { err } from '../lib/result.js';
import { RUN_FILES, type AgentRecord, type AttemptRecord } from '../protocol/records.js';
import type { TokenRecord } from '../protocol/tokens.js';
import type { Claim } from '../queue/store.js';
import { pastAttempts, readAgent, readAttempt } from '../runs/run-dir.js';
import type { SnakePorts, SnakeSetting } from './ports.js';
import { readStream } from './witness.js';

/** Figures of the whole session, of which only the difference to earlier attempts is this one's. */
const OF_SESSION: readonly TokenRecord['source'][] = ['transcript', 'export'];

/**
 * Counts the tokens of an attempt whose session has ended, into its agent record, once; says whether a program was run for it,
 * which then bears the claim's marker. What cannot be counted is said there and harms nothing else.
 */
export async function countTokens(ports: SnakePorts, setting: SnakeSetting, { name, marker }: Claim, dir: string, attempt: AttemptRecord): Promise<boolean> {
  const { files, clock } = ports;
  const profile = (await setting.profiles())[attempt.profile];
  if (profile === undefined || !tellsTokens({ profile, mode: attempt.mode })) return false;
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
  // A session that never began has used nothing.
  if (counted.ok || known !== undefined) await files.write(join(dir, RUN_FILES.agentEnd), `${JSON.stringify({ ...(known ?? none), ...(counted.ok ? { tokens: counted.value, uncounted: undefined } : { uncounted: counted.error }) })}\n`);
  return profile.transcript?.kind === 'command';
}

/** What the earlier attempts of the same session were counted; undefined where none was. */
async function countedBefore({ files }: SnakePorts, { layout }: SnakeSetting, id: string, dir: string, session: string): Promise<TokenRecord[] | undefined> {
  const found: TokenRecord[] = [];
  for (const past of await pastAttempts(files, layout, id)) {
    const tokens = past.dir === dir ? undefined : (await readAgent(files, past.dir))?.tokens;
    if (tokens?.session === session && OF_SESSION.includes(tokens.source)) found.push(tokens);
  }
  return found.length === 0 ? undefined : found;
}

/** Counts what was left uncounted: attempts that somebody else settled, or that were called back in haste. Before the next one adds to their sessions. */
export async function countPast(ports: SnakePorts, setting: SnakeSetting, claim: Claim): Promise<void> {
  for (const { dir, record } of await pastAttempts(ports.files, setting.layout, claim.name.id)) {
    if (record.outcome.kind !== 'lost' && record.outcome.kind !== 'released' && record.outcome.kind !== 'parked') continue;
    const attempt = await readAttempt(ports.files, dir);
    if (attempt !== undefined) await countTokens(ports, setting, claim, dir, attempt);
  }
}
