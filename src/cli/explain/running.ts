import { join } from 'node:path';
import { transcriptFiles } from '../../agents/glob.js';
import type { Profiles } from '../../agents/choice.js';
import { PROGRAM_FILES } from '../../agents/program.js';
import type { Config } from '../../config/config.js';
import { formatDuration } from '../../lib/duration.js';
import { markerOf, printClaim, type ClaimName } from '../../protocol/names.js';
import { parseExit, parseJson, parseSession, RUN_FILES, type AttemptRecord } from '../../protocol/records.js';
import { readAgent, readAttempt, readOutcome, runDirOf } from '../../runs/run-dir.js';
import { describeOutcome } from '../../runs/story.js';
import { watchPolicy } from '../../watchdog/ladder.js';
import type { Watch } from '../../watchdog/state.js';
import { livePit, type Context } from '../context.js';
import { coolingAccounts, coolingWords } from '../cooling.js';
import { decisionsOn } from './decisions.js';
import type { Explanation, Fact } from './explanation.js';

/** A claimed task: its session's witnesses with their ages, where it stands on the ladder, and what ends it at the latest. */
export async function explainRunning(context: Context, config: Config, claim: ClaimName): Promise<Explanation> {
  const { files, layout, clock, processes } = context;
  const dir = runDirOf(layout, claim);
  const file = (name: string): string => join(dir, name);
  const attempt = await readAttempt(files, dir);
  const outcome = await readOutcome(files, dir);
  const agent = await readAgent(files, dir);
  const watch = parseJson<Watch>(await files.read(file(RUN_FILES.watch)));
  const stop = (await files.read(file(RUN_FILES.stop)))?.trim();
  const pit = await livePit(context);
  const owner = await processes.liveness(claim.owner);
  const evidence: Fact[] = [];
  const add = (witness: string, says: string | undefined, at?: number): unknown => says !== undefined && evidence.push({ witness, says, at });

  add('its snake', `${claim.owner.snake} (pid ${claim.owner.pid}) is ${owner}`, await files.mtimeMs(join(layout.dir('claimed'), printClaim(claim))));
  const exit = parseExit(await files.read(file(RUN_FILES.exit)));
  add('exit record', exit === undefined ? undefined : `status ${exit.code}${exit.hungUp === true ? ', its terminal was hung up' : ''}`, exit?.endedAt);
  const result = await files.read(file(RUN_FILES.result), 4096);
  add('its own word', result?.trim(), await files.mtimeMs(file(RUN_FILES.result)));
  add('its events', (await files.exists(file(PROGRAM_FILES.events))) ? 'the last line of its hooks' : undefined, await files.mtimeMs(file(PROGRAM_FILES.events)));
  add('its stream', (await files.exists(file(PROGRAM_FILES.stream))) ? 'the last line of its print mode' : undefined, await files.mtimeMs(file(PROGRAM_FILES.stream)));
  if (attempt !== undefined) {
    for (const path of await transcriptsOf(context, attempt)) add('transcript', `${((await files.inspect(path))?.size ?? 0).toString()} bytes`, await files.mtimeMs(path));
    const session = parseSession(await files.read(file(RUN_FILES.session)), attempt.boot);
    add('process', session === undefined ? 'its wrapper has not reported' : `its wrapper (pid ${session.leader.pid}) is ${await processes.liveness(session.leader)}`);
    const cooling = (await coolingAccounts(context)).find((one) => one.account === attempt.account);
    add('its account', cooling === undefined ? undefined : `${attempt.account}: ${coolingWords(cooling, clock.wallMs())}${attempt.probe === true ? '; this is its probe' : ''}`);
  }
  add('its state', agent === undefined ? 'nothing seen yet' : `${agent.state.kind}, by ${agent.state.source}: ${agent.state.rule}${agent.state.evidence === '' ? '' : ` (${agent.state.evidence})`}`, agent?.since);
  add('last progress', watch === undefined ? undefined : 'an event, its transcript, its output or a tool at work', watch?.progressAt);
  if (watch !== undefined && watch.nudgedAt.length > 0) add('nudges', `${watch.nudgedAt.length} of ${watchPolicy(config).nudges}`, watch.nudgedAt.at(-1));
  add('asked if done', watch?.doneNudgedAt === undefined ? undefined : 'once; it is not asked again', watch?.doneNudgedAt);

  const next: { what: string; at?: number }[] = [];
  if (pit !== undefined && watch?.verdict === undefined && watch?.said?.next !== undefined && stop === undefined) next.push(watch.said.next);
  if (attempt !== undefined && stop === undefined && outcome === undefined && attempt.boot === processes.boot()) next.push({ what: `its timeout of ${formatDuration(attempt.timeoutMs)} ends it`, at: clock.wallMs() + attempt.startedMonoMs + attempt.timeoutMs - clock.monoMs() });
  if (owner === 'dead') next.push({ what: pit === undefined ? 'snakepit up, or snakepit cleanup, takes it up' : 'its successor adopts it, or it is reaped' });

  const [rule, since] =
    outcome !== undefined ? [`its outcome is recorded: ${describeOutcome(outcome.outcome)}`, outcome.endedAt]
    : stop !== undefined ? [`it is being ended: ${stop}`, await files.mtimeMs(file(RUN_FILES.stop))]
    : watch?.verdict !== undefined ? [`${watch.verdict.rule} (${watch.verdict.evidence})`, watch.verdict.at]
    : watch?.said !== undefined ? [watch.said.rule, watch.said.at]
    : attempt === undefined ? ['its attempt is being prepared', undefined]
    : [pit === undefined ? 'no pit is running: nobody watches it; its snake works on' : 'nothing had to be decided yet', attempt.startedAt];
  return { name: claim.id, state: `running on ${claim.owner.snake}${attempt === undefined ? '' : `, attempt ${attempt.attempt}, ${attempt.agent}, ${attempt.mode}`}`, rule, since, evidence, decided: decisionsOn(context, { id: claim.id, marker: markerOf(claim) }), next };
}

async function transcriptsOf({ files, layout }: Context, attempt: AttemptRecord): Promise<string[]> {
  const transcript = parseJson<Profiles>(await files.read(layout.agents))?.[attempt.profile]?.transcript;
  return transcript?.kind === 'jsonl' ? transcriptFiles(files, attempt.home, transcript.glob, attempt.session) : [];
}
