import { join } from 'node:path';
import { transcriptFiles } from '../../agents/glob.js';
import type { AgentProfile } from '../../agents/profile.js';
import { PROGRAM_FILES } from '../../agents/program.js';
import type { Config } from '../../config/config.js';
import { parseExit, parseJson, parseSession, RUN_FILES, type AttemptRecord } from '../../protocol/records.js';
import { readAgent, readAttempt } from '../../runs/run-dir.js';
import { describeTokens } from '../../runs/token-words.js';
import { readUsage } from '../../runs/usage.js';
import { watchPolicy } from '../../watchdog/ladder.js';
import type { Watch } from '../../watchdog/state.js';
import { publishedAgents, type Context } from '../context.js';
import { coolingAccounts, coolingWords } from '../cooling.js';
import type { Explanation, Fact } from './explanation.js';

/** What is known of one session, a task's or a resident's. */
export interface ExplainedSession {
  readonly attempt: AttemptRecord | undefined;
  readonly watch: Watch | undefined;
  /** A task's own script is not: only its end and its timeout count. */
  readonly watched: boolean;
  /** Why it is being ended; undefined while it is not. */
  readonly stop: string | undefined;
  /** Its witnesses, from the strongest to the weakest. */
  readonly evidence: readonly Fact[];
  /** What the watchdog does next, if nothing happens. */
  readonly next: Explanation['next'];
}

export async function explainSession(context: Context, config: Config, dir: string): Promise<ExplainedSession> {
  const { files, clock, processes } = context;
  const file = (name: string): string => join(dir, name);
  const attempt = await readAttempt(files, dir);
  const agent = await readAgent(files, dir);
  const watch = parseJson<Watch>(await files.read(file(RUN_FILES.watch)));
  const stop = (await files.read(file(RUN_FILES.stop)))?.trim();
  const profile = attempt === undefined ? undefined : (await publishedAgents(context))[attempt.profile];
  const watched = attempt?.mode === 'interactive' || profile?.headless?.prompt !== 'blocks';
  const evidence: Fact[] = [];
  const add = (witness: string, says: string | undefined, at?: number): unknown => says !== undefined && evidence.push({ witness, says, at });

  const exit = parseExit(await files.read(file(RUN_FILES.exit)));
  add('exit record', exit === undefined ? undefined : `status ${exit.code}${exit.hungUp === true ? ', its terminal was hung up' : ''}`, exit?.endedAt);
  add('its own word', (await files.read(file(RUN_FILES.result), 4096))?.trim(), await files.mtimeMs(file(RUN_FILES.result)));
  add('its events', (await files.exists(file(PROGRAM_FILES.events))) ? 'the last line of its hooks' : undefined, await files.mtimeMs(file(PROGRAM_FILES.events)));
  add('its stream', (await files.exists(file(PROGRAM_FILES.stream))) ? 'the last line of its print mode' : undefined, await files.mtimeMs(file(PROGRAM_FILES.stream)));
  if (attempt !== undefined) {
    for (const path of await transcriptsOf(context, attempt, profile)) add('transcript', `${((await files.inspect(path))?.size ?? 0).toString()} bytes`, await files.mtimeMs(path));
    const session = parseSession(await files.read(file(RUN_FILES.session)), attempt.boot);
    add('process', session === undefined ? 'its wrapper has not reported' : `its wrapper (pid ${session.leader.pid}) is ${await processes.liveness(session.leader)}`);
    const cooling = (await coolingAccounts(context)).find((one) => one.account === attempt.account);
    add('its account', cooling === undefined ? undefined : `${attempt.account}: ${coolingWords(cooling, clock.wallMs())}${attempt.probe === true ? '; this is its probe' : ''}`);
  }
  if (watched) add('its state', agent === undefined ? 'nothing seen yet' : `${agent.state.kind}, by ${agent.state.source}: ${agent.state.rule}${agent.state.evidence === '' ? '' : ` (${agent.state.evidence})`}`, agent?.since);
  const usage = agent?.tokens === undefined ? await readUsage(files, dir) : undefined;
  add('its tokens so far', usage === undefined ? undefined : describeTokens(usage.tokens), usage?.at);
  add('last progress', watch === undefined ? undefined : 'an event, its transcript, its output or a tool at work', watch?.progressAt);
  if (watch !== undefined && watch.nudgedAt.length > 0) add('nudges', `${watch.nudgedAt.length} of ${watchPolicy(config).nudges}`, watch.nudgedAt.at(-1));
  add('asked if done', watch?.doneNudgedAt === undefined ? undefined : 'once; it is not asked again', watch?.doneNudgedAt);
  const follows = watch?.verdict === undefined && stop === undefined ? watch?.said?.next : undefined;
  return { attempt, watch, watched, stop, evidence, next: follows === undefined ? [] : [follows] };
}

async function transcriptsOf({ files }: Context, attempt: AttemptRecord, profile: AgentProfile | undefined): Promise<string[]> {
  const transcript = profile?.transcript;
  return transcript?.kind === 'jsonl' ? transcriptFiles(files, attempt.home, transcript.glob, attempt.session) : [];
}
