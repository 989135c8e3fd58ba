import { beginCadence, decideCadence, nearer, type Fitness } from '../lib/cadence.js';
import { afterDeath, aged, beginHealing, mayRestart } from '../lib/healing.js';
import { unreachable } from '../lib/unreachable.js';
import { describeExit } from '../protocol/judge.js';
import type { AgentRecord } from '../protocol/records.js';
import type { Now, Phase, ResidentAction, ResidentLook, ResidentPolicy, ResidentRecord, Run, Wanted } from './state.js';

export interface Decided {
  readonly record: ResidentRecord;
  readonly action: ResidentAction;
}

type In<K extends Phase['kind']> = Extract<Phase, { kind: K }>;

export const beginResident = ({ name, kind, fingerprint }: Wanted, nowMs: number): ResidentRecord => ({ v: 1, name, kind, fingerprint, phase: { kind: 'down' }, healing: beginHealing(nowMs), cadence: undefined, cooledAt: undefined });

/**
 * Pure and total: what is wanted, what is remembered, one look → what is remembered then, and at most one action. Order is
 * precedence. `pool`: the restarts of all residents, whose budget is one.
 */
export function decideResident(policy: ResidentPolicy, wanted: Wanted | undefined, before: ResidentRecord, look: ResidentLook, pool: readonly number[], now: Now): Decided {
  const { phase } = before;
  switch (phase.kind) {
    case 'ending':
      return whileEnding(policy, before, phase, look, now);
    case 'launching':
      return leaving(wanted, before, phase.run, look, now) ?? whileLaunching(policy, before, phase, look, now);
    case 'up':
      return leaving(wanted, before, phase.run, look, now) ?? whileUp(policy, wanted, before, phase, look, now);
    case 'down':
    case 'backing-off':
    case 'broken':
      return whileDown(policy, wanted, before, look, pool, now);
    default:
      return unreachable(phase);
  }
}

const still = (record: ResidentRecord, rule: string): Decided => ({ record, action: { kind: 'none', rule } });

function end(record: ResidentRecord, run: Run, after: In<'ending'>['after'], rule: string, evidence: string): Decided {
  return { record: { ...record, phase: { kind: 'ending', run, after, rule, evidence } }, action: { kind: 'end', run, rule, evidence } };
}

/** A print-mode run is never healed: the next one comes when it is due. */
const died = (record: ResidentRecord, run: Run, rule: string, evidence: string): Decided => end(record, run, record.kind === 'headless' ? 'afresh' : 'heal', rule, evidence);

/** What ends a run whatever it does. */
function leaving(wanted: Wanted | undefined, before: ResidentRecord, run: Run, look: ResidentLook, now: Now): Decided | undefined {
  // After a reboot nothing of it lives, and nothing is held against it; ending it still takes its claim away.
  if (run.boot !== now.boot) return end(before, run, 'afresh', 'the machine was started anew', `boot ${run.boot}`);
  if (wanted === undefined) return end(before, run, 'afresh', 'it is no longer in the configuration', look.started ? 'it ran' : 'it was being started');
  if (wanted.fingerprint !== before.fingerprint) return end(before, run, 'afresh', 'its configuration was changed', look.started ? 'it ran' : 'it was being started');
  return undefined;
}

/** Nothing may start in its place before all its processes are shown gone. */
function whileEnding(policy: ResidentPolicy, before: ResidentRecord, phase: In<'ending'>, look: ResidentLook, now: Now): Decided {
  if (look.ended?.kind !== 'gone') return { record: before, action: { kind: 'end', run: phase.run, rule: phase.rule, evidence: look.ended === undefined ? phase.evidence : look.ended.evidence } };
  if (phase.after === 'afresh') return still({ ...before, phase: { kind: 'down' }, healing: before.kind === 'headless' ? before.healing : beginHealing(now.wallMs) }, 'its processes are gone');
  const { healing, next } = afterDeath(policy.healing, before.healing, now);
  const why = `${phase.rule}: ${phase.evidence}`;
  if (next.kind === 'back-off') return still({ ...before, healing, phase: { kind: 'backing-off', until: next.until, why } }, 'its processes are gone; it is started again after a pause');
  return { record: { ...before, healing, phase: { kind: 'broken', why: `${next.why}; last: ${why}`, generation: now.generation } }, action: { kind: 'tell-broken', until: next.until, rule: next.why, evidence: why } };
}

function whileLaunching(policy: ResidentPolicy, before: ResidentRecord, { run }: In<'launching'>, look: ResidentLook, now: Now): Decided {
  if (look.failed !== undefined) return died(before, run, 'it could not be prepared', look.failed);
  if (look.leader !== 'none') return { record: { ...before, phase: { kind: 'up', run } }, action: { kind: 'tell-started', run, rule: 'its session has said who it is' } };
  if (look.started && look.sinceTryMs >= policy.orphanMs && look.tries > 0) return died(before, run, 'it died while it was started', 'its wrapper was let in and never said who it is');
  if (look.started && look.tries > 0) return still(before, 'started; it has not said who it is yet');
  if (now.mode !== 'run') return still(before, 'the pit goes down: nothing is started');
  if (look.tries > 0 && look.sinceTryMs < policy.launchPatienceMs) return still(before, 'launched; it has not reported yet');
  if (look.tries >= policy.launchTries) return died(before, run, 'it could not be started', `${look.tries} launches came to nothing`);
  return { record: before, action: { kind: 'launch', run, rule: look.tries === 0 ? 'prepared by nobody else, or left by a pit that died; it starts once' : 'the last launch came to nothing; it starts once' } };
}

/** States in which no word of ours helps: it is started anew. */
const HOPELESS: ReadonlySet<AgentRecord['state']['kind']> = new Set(['context-exhausted', 'session-lost', 'blocked-on-permission', 'blocked-on-dialog', 'waiting-for-input']);
const LIMITS = ['usage-limited', 'rate-limited', 'auth-failed'] as const;
/** Its turn is over, well or not: a wake may begin the next one. */
const AT_REST: ReadonlySet<AgentRecord['state']['kind']> = new Set(['idle', 'finished', 'errored', ...LIMITS]);

function whileUp(policy: ResidentPolicy, wanted: Wanted | undefined, before: ResidentRecord, { run }: In<'up'>, look: ResidentLook, now: Now): Decided {
  const { agent, exit, leader } = look;
  const limit = LIMITS.find((one) => one === agent?.state.kind);
  if (agent !== undefined && limit !== undefined && agent.since !== before.cooledAt) {
    const { rule, evidence, resetAt } = agent.state;
    return { record: { ...before, cooledAt: agent.since }, action: { kind: 'cool', reason: limit, resetAt, rule, evidence } };
  }
  if (exit !== undefined) return died(before, run, before.kind === 'headless' ? 'its run has ended' : 'it ended by itself', exit.hungUp === true ? 'its terminal was hung up' : describeExit(exit.code));
  if (leader === 'dead') return died(before, run, 'it died', 'its wrapper is dead and left no exit record');
  if (leader !== 'alive') return still(before, 'it cannot be looked at, which says nothing');
  const record = rested(policy, before, now.wallMs);
  if (look.verdict !== undefined) return died(record, run, look.verdict.rule, look.verdict.evidence);
  if (agent !== undefined && HOPELESS.has(agent.state.kind) && now.wallMs - agent.since >= policy.agreedMs) return died(record, run, `${agent.state.kind}: ${agent.state.rule}`, agent.state.evidence);
  if (record.kind !== 'interactive' || wanted?.everyMs === undefined) return still(record, 'it lives');
  const { cadence, step } = decideCadence({ everyMs: wanted.everyMs, retryMs: policy.wakeRetryMs }, record.cadence ?? beginCadence(wanted.everyMs, run.at), fitness(look, now), now.wallMs);
  const next = { ...record, cadence };
  if (step.kind === 'none') return still(next, step.rule);
  return { record: next, action: { kind: step.kind === 'wake' ? 'wake' : 'tell-lost-wake', run, rule: step.rule } };
}

/** Quiet time takes deaths back. */
const rested = (policy: ResidentPolicy, before: ResidentRecord, nowMs: number): ResidentRecord => ({ ...before, healing: aged(policy.healing, before.healing, nowMs) });

function fitness({ agent, coolsUntil, spent }: ResidentLook, now: Now): Fitness {
  if (now.mode !== 'run') return { fit: false, why: 'the pit goes down: nobody is woken' };
  if (spent !== undefined) return { fit: false, why: `${spent}: it is not woken` };
  if (coolsUntil !== undefined) return { fit: false, why: 'its account is at a limit' };
  if (agent === undefined) return { fit: false, why: 'nothing was seen of it yet' };
  return AT_REST.has(agent.state.kind) ? { fit: true } : { fit: false, why: `it is ${agent.state.kind}: it is woken when its turn is over` };
}

/** Nothing runs: it is forgotten, or started when that is due, allowed, and possible. */
function whileDown(policy: ResidentPolicy, wanted: Wanted | undefined, old: ResidentRecord, look: ResidentLook, pool: readonly number[], now: Now): Decided {
  if (wanted === undefined) return { record: old, action: { kind: 'forget', rule: 'it is no longer in the configuration, and nothing of it runs' } };
  const again = old.phase.kind === 'broken' && old.phase.generation !== now.generation;
  const before = wanted.fingerprint !== old.fingerprint || again ? beginResident(wanted, now.wallMs) : old;
  if (now.mode !== 'run') return still(before, 'the pit goes down: nothing is started');
  const { phase } = before;
  if (phase.kind === 'backing-off' && now.wallMs < phase.until) return still({ ...before, phase: { ...phase, until: Math.min(phase.until, now.wallMs + longest(policy)) } }, 'it is started again after a pause');
  const cadence = before.cadence === undefined || wanted.everyMs === undefined ? undefined : nearer({ everyMs: wanted.everyMs }, before.cadence, now.wallMs);
  if (before.kind === 'headless' && cadence !== undefined && now.wallMs < cadence.dueAt) return still({ ...before, cadence }, 'it is not due');
  if (look.coolsUntil !== undefined) return still(before, 'its account is at a limit');
  if (look.spent !== undefined && before.kind !== 'service') return still(before, `${look.spent}: it is not started`);
  const run: Run = { nonce: now.nonce, at: now.wallMs, boot: now.boot };
  const started = { ...before, phase: { kind: 'launching' as const, run }, cadence: wanted.everyMs === undefined ? undefined : beginCadence(wanted.everyMs, now.wallMs), cooledAt: undefined };
  if (phase.kind === 'down') return { record: started, action: { kind: 'launch', run, rule: 'it is wanted, and nothing of it runs' } };
  const may = mayRestart(policy.healing, before.healing, pool, now.wallMs);
  if (may.kind === 'no') return still(rested(policy, before, now.wallMs), may.why);
  return { record: { ...started, healing: may.healing }, action: { kind: 'launch', run, rule: may.probe ? 'its breaker is half open: one try' : 'its pause is over' } };
}

/** A clock that was set back must not make a pause longer than the longest. */
const longest = ({ healing }: ResidentPolicy): number => healing.maxMs * (1 + healing.jitter);

