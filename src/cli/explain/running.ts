import { join } from 'node:path';
import type { Config } from '../../config/config.js';
import { formatDuration } from '../../lib/duration.js';
import { markerOf, printClaim, type ClaimName } from '../../protocol/names.js';
import { RUN_FILES } from '../../protocol/records.js';
import { readOutcome } from '../../runs/run-dir.js';
import { currentRun } from '../../runs/steps.js';
import { standing } from '../../runs/step-words.js';
import { describeOutcome } from '../../runs/story.js';
import { livePit, type Context } from '../context.js';
import { decisionsOn } from './decisions.js';
import type { Explanation } from './explanation.js';
import { explainSession } from './session.js';

/** A claimed task: its session's witnesses with their ages, where it stands on the ladder, and what ends it at the latest. */
export async function explainRunning(context: Context, config: Config, claim: ClaimName): Promise<Explanation> {
  const { files, layout, clock, processes } = context;
  const { base, dir, flow } = await currentRun(files, layout, claim);
  const { attempt, watch, watched, stop, evidence, next: follows } = await explainSession(context, config, dir);
  const outcome = await readOutcome(files, base);
  const pit = await livePit(context);
  const owner = await processes.liveness(claim.owner);

  const next: { what: string; at?: number | undefined }[] = pit === undefined ? [] : [...follows];
  if (attempt !== undefined && stop === undefined && outcome === undefined && attempt.boot === processes.boot()) next.push({ what: `its timeout of ${formatDuration(attempt.timeoutMs)} ends it`, at: clock.wallMs() + attempt.startedMonoMs + attempt.timeoutMs - clock.monoMs() });
  if (owner === 'dead') next.push({ what: pit === undefined ? 'snakepit up, or snakepit cleanup, takes it up' : 'its successor adopts it, or it is reaped' });

  const [rule, since] =
    outcome !== undefined ? [`its outcome is recorded: ${describeOutcome(outcome.outcome)}`, outcome.endedAt]
    : stop !== undefined ? [`it is being ended: ${stop}`, await files.mtimeMs(join(dir, RUN_FILES.stop))]
    : watch?.verdict !== undefined ? [`${watch.verdict.rule} (${watch.verdict.evidence})`, watch.verdict.at]
    : watch?.said !== undefined ? [watch.said.rule, watch.said.at]
    : attempt === undefined ? ['its attempt is being prepared', undefined]
    : !watched ? ['it runs its own script: its end and its timeout decide, silence does not', attempt.startedAt]
    : [pit === undefined ? 'no pit is running: nobody watches it; its snake works on' : 'nothing had to be decided yet', attempt.startedAt];
  return {
    name: claim.id,
    state: `running on ${claim.owner.snake}${attempt === undefined ? '' : `, attempt ${attempt.attempt}, ${attempt.agent}, ${attempt.mode}`}${flow === undefined ? '' : `, ${flow.workflow.name} ${standing(flow.next)}`}`,
    rule,
    since,
    evidence: [{ witness: 'its snake', says: `${claim.owner.snake} (pid ${claim.owner.pid}) is ${owner}`, at: await files.mtimeMs(join(layout.dir('claimed'), printClaim(claim))) }, ...(flow === undefined ? [] : [{ witness: 'its workflow', says: `${flow.next.rule}; ${flow.events.filter(({ kind }) => kind === 'step-ended').length} sessions have ended`, at: flow.at }]), ...evidence],
    decided: await decisionsOn(context, { id: claim.id, marker: markerOf(claim), since: attempt?.startedAt }),
    next,
  };
}
