import { join } from 'node:path';
import { holdsUntil } from '../agents/breaker/decide.js';
import { readBreaker } from '../agents/breaker/store.js';
import { asFileRef } from '../agents/deliver/text.js';
import { PROGRAM_FILES } from '../agents/program.js';
import { promptText } from '../agents/prompts.js';
import type { Config } from '../config/config.js';
import type { EventSink } from '../events/event-log.js';
import type { ProcessRow } from '../lib/processes.js';
import { unreachable } from '../lib/unreachable.js';
import type { AgentState } from '../protocol/agent-state.js';
import { parseJson, parseSession, RESULT_FALLBACK, RUN_FILES, type AttemptRecord, type VerdictRecord } from '../protocol/records.js';
import { beginWatch, decideWatch, grown } from './decide.js';
import { speakTo, type Listener, type SpeakPorts } from './speak.js';
import type { Progress, Watch, WatchLook, WatchPolicy } from './state.js';
import { toolTime, type ToolTime } from './tool-time.js';
import { messageWaits, paneWaits } from './waiting.js';
import type { Witnessed } from './witness.js';

export interface LadderPorts extends SpeakPorts {
  readonly events: EventSink;
}

/** How old what lies on disk of a session's progress may be: a restarted pit takes it for silence. */
const PERSIST_MS = 15_000;
/** A program writes down a prompt, its hook and its transcript, within a second of taking it. */
export const ABSORB_MS = 2000;
/** How long a pane that is not fit to be typed into is waited for. */
const PATIENCE_MS = 20_000;
/** Looks that are further apart than the clock says, by this much: the machine slept, or the clock was set. */
export const JUMP_MS = 30_000;

/** One session on the ladder. */
export interface Climber {
  readonly id: string;
  readonly marker: string;
  readonly dir: string;
  readonly attempt: AttemptRecord;
  /** Undefined in print mode: nobody can be spoken to. */
  readonly listener: Listener | undefined;
  watch: Watch;
  /** As it lies on disk. */
  persisted: Watch | undefined;
  speaking: boolean;
  /** Looks up to this time (wall clock, milliseconds) see what our own typing has moved: it is no progress. */
  absorbUntil: number;
  /** The pit was killed while it spoke: what it said then is not known. */
  cutOff: 'done' | 'go-on' | undefined;
  tools: ToolTime;
}

/** What one look at a session found, beside its files. */
export interface Sighting {
  readonly agent: AgentState;
  readonly witnessed: Witnessed;
  /** Of a full-screen program, the text of its pane. */
  readonly screen: string | undefined;
  /** The process table of this tick, read when first asked for. */
  readonly table: () => Promise<readonly ProcessRow[] | undefined>;
}

/** Takes a session up where the last pit left it: a verdict that it could not write any more is written now. */
export async function beginClimb({ files, clock }: LadderPorts, from: Pick<Climber, 'id' | 'marker' | 'dir' | 'attempt' | 'listener'>): Promise<Climber> {
  const persisted = parseJson<Watch>(await files.read(join(from.dir, RUN_FILES.watch)));
  if (persisted?.verdict !== undefined && !(await files.exists(join(from.dir, RUN_FILES.verdict)))) await writeVerdict(files, from.dir, persisted.verdict);
  const tools = { atMonoMs: clock.monoMs(), used: new Map(), workedMs: persisted?.progress.toolCpuMs ?? 0 };
  return { ...from, watch: persisted ?? beginWatch(from.attempt.startedAt), persisted, speaking: false, absorbUntil: 0, cutOff: persisted === undefined ? undefined : cutOffIn(persisted), tools };
}

const writeVerdict = (files: LadderPorts['files'], dir: string, verdict: VerdictRecord): Promise<void> => files.write(join(dir, RUN_FILES.verdict), `${JSON.stringify(verdict)}\n`);

/** A nudge that was said is followed by a fresh window. */
function cutOffIn({ doneNudgedAt = 0, nudgedAt, graceFrom }: Watch): Climber['cutOff'] {
  const last = Math.max(doneNudgedAt, nudgedAt.at(-1) ?? 0);
  return last <= graceFrom ? undefined : last === doneNudgedAt ? 'done' : 'go-on';
}

export const watchPolicy = ({ startupMs, stallMs, nudgeMs, nudges, signalMs, waitCapMs }: Config): WatchPolicy => ({ startupMs, stallMs, toolStallMs: stallMs * 4, nudgeEveryMs: nudgeMs, nudges, signalMs, waitCapMs, waitGraceMs: Math.min(60_000, stallMs) });

/** The facts of one look: what was sighted, and what the files say. */
export async function lookAt(ports: LadderPorts, policy: WatchPolicy, breakers: string, one: Climber, sighting: Sighting): Promise<WatchLook> {
  const { files, clock } = ports;
  const nowMs = clock.wallMs();
  const { attempt, dir } = one;
  const { agent, witnessed: seen } = sighting;
  const size = async (name: string): Promise<number> => (await files.inspect(join(dir, name)))?.size ?? 0;
  const keepsRecords = seen.sources > 0;
  const streamBytes = attempt.mode === 'headless' ? await size(PROGRAM_FILES.stream) : 0;
  const progress: Progress = {
    events: seen.events + streamBytes,
    transcriptBytes: seen.transcriptBytes,
    // A full-screen program paints while it is dead: what it prints counts only where it keeps no records.
    outputBytes: keepsRecords || streamBytes > 0 ? 0 : await size(RUN_FILES.output),
    toolCpuMs: await toolsWorked(ports, policy, one, sighting),
  };
  const waits = [
    Date.parse((await files.read(join(dir, RUN_FILES.waitUntil)))?.trim() ?? ''),
    seen.answer === undefined ? Number.NaN : (messageWaits(seen.answer) ?? Number.NaN),
    sighting.screen === undefined || one.listener === undefined ? Number.NaN : (paneWaits(one.listener.interactive.screen, sighting.screen) ?? Number.NaN),
  ].filter((at) => !Number.isNaN(at));
  return {
    kind: 'seen', agent, progress, movedAt: movedAt(one.watch.progress, progress, seen), mode: attempt.mode, openTool: seen.openTools > 0, rests: attempt.resident === true || attempt.wakeMs !== undefined,
    // A resident lives for weeks: what it says it waits for is capped from its last progress.
    startedAt: attempt.resident === true ? Math.max(attempt.startedAt, one.watch.progressAt) : attempt.startedAt,
    // A first screen is no work, where a program would keep records of work.
    begun: progress.events > 0 || progress.transcriptBytes > 0 || (progress.outputBytes > 0 && !seen.recordable) || (agent.kind !== 'starting' && agent.kind !== 'unknown'),
    result: attempt.resident !== true && ((await files.exists(join(dir, RUN_FILES.result))) || (await files.exists(join(attempt.workspace, RESULT_FALLBACK)))),
    waitsUntil: waits.length === 0 ? undefined : Math.max(...waits),
    coolsUntil: holdsUntil(await readBreaker(files, breakers, attempt.account), one.marker, nowMs),
  };
}

/** What only its own records tell is as old as they are: a pit that comes late, or could not look, sees it late. */
function movedAt(before: Progress, now: Progress, { records }: Witnessed): number | undefined {
  if (now.toolCpuMs > before.toolCpuMs || now.outputBytes > before.outputBytes || records.length === 0) return undefined;
  return Math.max(...records.map(({ changedAt }) => changedAt));
}

/** Processor time is looked at in a silence only, and only where a tool may be at work: one pass over the process table costs milliseconds. */
async function toolsWorked({ files, clock, processes }: LadderPorts, policy: WatchPolicy, one: Climber, { witnessed, table }: Sighting): Promise<number> {
  const mayWork = witnessed.openTools > 0 || witnessed.sources === 0;
  if (!mayWork || clock.wallMs() - Math.max(one.watch.progressAt, one.watch.graceFrom) < policy.stallMs / 4) return one.tools.workedMs;
  const leader = parseSession(await files.read(join(one.dir, RUN_FILES.session)), one.attempt.boot)?.leader;
  const rows = leader === undefined || leader.boot !== processes.boot() ? undefined : await table();
  const started = rows?.find(({ pid }) => pid === leader?.pid)?.startedMs;
  if (rows !== undefined && leader !== undefined && started !== undefined) one.tools = toolTime(one.tools, rows, leader, started, clock.monoMs());
  return one.tools.workedMs;
}

/**
 * One step of the ladder. What was decided lies on disk before it is done: a pit that is killed in between nudges nobody twice,
 * at the price of a nudge that may not have been said.
 */
export async function climb(ports: LadderPorts, policy: WatchPolicy, one: Climber, look: WatchLook): Promise<void> {
  const { files, clock, events } = ports;
  if (one.speaking) return;
  if (look.kind === 'seen' && one.cutOff !== undefined) return takeUp(ports, one, one.cutOff, look.progress);
  if (look.kind === 'seen' && clock.wallMs() < one.absorbUntil) one.watch = { ...one.watch, progress: look.progress };
  const { watch, action } = decideWatch(policy, one.watch, look, clock.wallMs());
  one.watch = watch;
  const due = one.persisted === undefined || watch.progressAt - one.persisted.progressAt >= Math.min(PERSIST_MS, policy.stallMs / 4) || watch.graceFrom !== one.persisted.graceFrom || watch.said?.rule !== one.persisted.said?.rule;
  if (action.kind !== 'none' || due) {
    await files.write(join(one.dir, RUN_FILES.watch), `${JSON.stringify(watch)}\n`);
    one.persisted = watch;
  }
  switch (action.kind) {
    case 'none':
      return;
    case 'end':
      await events.emit({ kind: 'session-judged', id: one.id, marker: one.marker, reason: action.verdict.reason, rule: action.rule, evidence: action.evidence });
      await writeVerdict(files, one.dir, action.verdict);
      return;
    case 'nudge':
      await events.emit({ kind: 'nudge-decided', id: one.id, marker: one.marker, what: action.what, rule: action.rule, evidence: action.evidence });
      if (one.listener !== undefined) void say(ports, one, one.listener, action.what);
      return;
    default:
      return unreachable(action);
  }
}

/**
 * What has moved since the last pit was killed in the middle of a nudge is its own typing, and no progress. A program at rest writes down
 * a prompt as soon as it takes it: one that has written nothing was not asked, and is asked now. One at work may have it in its queue.
 */
function takeUp(ports: LadderPorts, one: Climber, what: 'done' | 'go-on', progress: Progress): void {
  one.cutOff = undefined;
  const recorded = grown(one.watch.progress, progress) || (progress.events === 0 && progress.transcriptBytes === 0);
  one.watch = { ...one.watch, progress, graceFrom: ports.clock.wallMs() };
  if (what === 'done' && !recorded && one.listener !== undefined) void say(ports, one, one.listener, what);
}

/** Whoever types into a session is at it: a nudge that made way for them was none. */
const takenBack = (watch: Watch, what: 'done' | 'go-on'): Watch => (what === 'done' ? { ...watch, doneNudgedAt: undefined } : { ...watch, nudgedAt: watch.nudgedAt.slice(0, -1) });

/** Takes seconds, and the tick does not wait for it. */
async function say(ports: LadderPorts, one: Climber, listener: Listener, what: 'done' | 'go-on'): Promise<void> {
  one.speaking = true;
  try {
    const line = asFileRef(promptText(what === 'done' ? 'nudge-done' : 'nudge-go-on').trim(), join(one.dir, `nudge-${what}.md`));
    if (line.file !== undefined) await ports.files.write(join(one.dir, `nudge-${what}.md`), line.file);
    const receipt = await speakTo(ports, listener, line.line, { patienceMs: PATIENCE_MS });
    await ports.events.emit({ kind: 'nudged', id: one.id, marker: one.marker, receipt: receipt.kind, rule: receipt.rule, evidence: receipt.evidence });
    if (receipt.kind === 'refused' && receipt.reason === 'person') one.watch = takenBack(one.watch, what);
  } catch {
    // Its run directory has gone: so has the session.
  } finally {
    const nowMs = ports.clock.wallMs();
    one.speaking = false;
    one.absorbUntil = nowMs + ABSORB_MS;
    // It has its whole window from the moment that it can have read it.
    one.watch = { ...one.watch, graceFrom: nowMs };
  }
}
