import { basename, join } from 'node:path';
import { afterRetrying, classifySession } from '../agents/classify.js';
import type { Profiles } from '../agents/choice.js';
import { classifyScreen } from '../agents/screen.js';
import type { Config } from '../config/config.js';
import type { AgentState } from '../protocol/agent-state.js';
import type { Layout } from '../protocol/layout.js';
import { markerOf, parseClaim } from '../protocol/names.js';
import { RUN_FILES, type AgentRecord, type AttemptRecord } from '../protocol/records.js';
import { readAgent, readAttempt } from '../runs/run-dir.js';
import { currentRun } from '../runs/steps.js';
import type { Sessions } from '../tmux/server.js';
import { beginClimb, climb, JUMP_MS, lookAt, watchPolicy, type Climber, type LadderPorts } from './ladder.js';
import { attend, readAsk, type AskMemory } from './ask.js';
import { proveAccount } from './probe.js';
import type { WatchLook } from './state.js';
import { wakeTask } from './wakes.js';
import { SessionWitness } from './witness.js';

/** One session that is being watched. */
interface Watched {
  readonly session: string;
  readonly id: string;
  readonly dir: string;
  readonly attempt: AttemptRecord;
  readonly witness: SessionWitness;
  readonly climber: Climber;
  readonly asks: AskMemory;
  /** What the last look said; a state is written when two looks in a row agree. */
  looked: AgentState | undefined;
  written: AgentRecord | undefined;
}

/** Lost with the pit, and found again from the files. */
export interface WatchMemory {
  /** By claim marker. */
  readonly sessions: Map<string, Watched>;
  /** When the last look was, by both clocks: where they disagree, the machine slept or its clock was set. */
  at: { readonly wallMs: number; readonly monoMs: number } | undefined;
}

/** A session that may be watched: where it would be, and what its processes bear. */
export interface Candidate {
  readonly id: string;
  readonly marker: string;
  readonly session: string;
  readonly dir: string;
}

async function claimed({ files }: LadderPorts, layout: Layout): Promise<Candidate[]> {
  const found: Candidate[] = [];
  for (const file of await files.list(layout.dir('claimed'))) {
    const claim = parseClaim(basename(file));
    if (claim === undefined) continue;
    const { session, dir } = await currentRun(files, layout, claim);
    found.push({ id: claim.id, marker: markerOf(claim), session, dir });
  }
  return found;
}

/** Brings the memory in line with what is claimed, and with the residents, and names the sessions whose screens are wanted. A print-mode session is watched by its files alone; one that runs a task's own script, not at all. */
export async function watchedSessions(ports: LadderPorts, layout: Layout, profiles: Profiles, memory: WatchMemory, residents: readonly Candidate[] = []): Promise<string[]> {
  const { files } = ports;
  const { sessions } = memory;
  const present = new Set<string>();
  for (const { id, marker, session, dir } of [...(await claimed(ports, layout)), ...residents]) {
    present.add(marker);
    // The next step of the same claim is another session.
    if (sessions.get(marker)?.dir === dir) continue;
    sessions.delete(marker);
    const attempt = (await files.exists(join(dir, RUN_FILES.session))) ? await readAttempt(files, dir) : undefined;
    const profile = attempt === undefined ? undefined : profiles[attempt.profile];
    if (attempt === undefined || profile === undefined || (attempt.mode === 'headless' && profile.headless?.prompt === 'blocks')) continue;
    const { interactive } = profile;
    const listener = attempt.mode === 'headless' || interactive === undefined ? undefined : { session, runDir: dir, attempt, profile, interactive };
    const climber = await beginClimb(ports, { id, marker, dir, attempt, listener });
    sessions.set(marker, { session, id, dir, attempt, climber, asks: { record: await readAsk(files, dir) }, witness: new SessionWitness(files, profile, attempt, dir), looked: undefined, written: await readAgent(files, dir) });
  }
  for (const marker of sessions.keys()) if (!present.has(marker)) sessions.delete(marker);
  return [...sessions.values()].filter((one) => one.attempt.mode === 'interactive').map((one) => one.session);
}

/** One look at every watched session, by one answer of tmux and the programs' own records. An answer that did not come says nothing about anybody. */
export async function watch(ports: LadderPorts, layout: Layout, config: Config, profiles: Profiles, memory: WatchMemory, sessions: Sessions): Promise<void> {
  const { clock } = ports;
  let read: ReturnType<LadderPorts['processes']['table']> | undefined;
  const table = (): NonNullable<typeof read> => (read ??= ports.processes.table());
  forgive(memory, { wallMs: clock.wallMs(), monoMs: clock.monoMs() });
  for (const [marker, one] of memory.sessions) {
    const interactive = profiles[one.attempt.profile]?.interactive;
    const row = sessions.kind === 'listed' ? sessions.rows.find(({ session }) => session === one.session) : undefined;
    const nowMs = clock.wallMs();
    const witnessed = await one.witness.look(nowMs);
    const { records, session, answer } = witnessed;
    const screen = row?.screen === undefined || interactive === undefined ? undefined : classifyScreen(interactive.screen, interactive.dialogs, { title: row.title, text: row.screen, dead: row.dead, nowMs });
    const seen = classifySession({ records, screen, nowMs });
    const retryingSince = seen.kind === 'retrying' ? one.written?.retryingSince : undefined;
    const retriedMs = retryingSince === undefined ? 0 : nowMs - retryingSince;
    const state = afterRetrying(seen, records.find(({ last }) => last.kind === 'retrying')?.last.endsAs, retriedMs, config.retryMs);
    const agreed = one.looked?.kind === state.kind && one.looked.rule === state.rule;
    one.looked = state;
    // tmux that does not answer says nothing of a full-screen session; print mode needs no tmux.
    if (agreed && one.attempt.probe === true) await proveAccount(ports, layout, config, profiles[one.attempt.profile], { ...one, marker }, state, witnessed);
    const blind = one.attempt.mode === 'interactive' && row === undefined;
    const policy = watchPolicy(config);
    if (agreed) {
      const look: WatchLook = blind ? { kind: 'unseen', why: sessions.kind === 'unknown' ? sessions.why : 'its session is not listed' } : await lookAt(ports, policy, layout.breakers, one.climber, { agent: state, witnessed, screen: row?.screen, table });
      await climb(ports, policy, one.climber, look);
      if (!blind && !(await ports.files.exists(join(one.dir, RUN_FILES.stop)))) await attend(ports, one.climber, one.asks, state, screen, row?.screen);
      await wakeTask(ports, one.climber, look);
    }
    if (!agreed || (one.written?.state.kind === state.kind && one.written.state.rule === state.rule && one.written.session === session && one.written.answer === answer)) continue;
    // A session that nothing is known of yet has not begun; once it has, "unknown" takes nothing back.
    if (state.kind === 'unknown') continue;
    // What it does while it is being ended is no news of its work.
    if (await ports.files.exists(join(one.dir, RUN_FILES.stop))) continue;
    const since = one.written?.state.kind === state.kind ? one.written.since : nowMs;
    one.written = { state, since, ...(seen.kind === 'retrying' ? { retryingSince: retryingSince ?? nowMs } : {}), ...(answer === undefined ? {} : { answer }), ...(session === undefined ? {} : { session }) };
    await ports.files.write(join(one.dir, RUN_FILES.agent), `${JSON.stringify(one.written)}\n`);
    await ports.events.emit({ kind: 'agent-state', id: one.id, marker, state: state.kind, rule: state.rule, evidence: state.evidence });
  }
}

/** After a sleep of the machine, or a jump of its clock, everybody has a fresh window. */
function forgive(memory: WatchMemory, now: { readonly wallMs: number; readonly monoMs: number }): void {
  const { at } = memory;
  memory.at = now;
  if (at === undefined || Math.abs(now.wallMs - at.wallMs - (now.monoMs - at.monoMs)) < JUMP_MS) return;
  for (const { climber } of memory.sessions.values()) climber.watch = { ...climber.watch, graceFrom: now.wallMs };
}
