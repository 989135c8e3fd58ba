import { basename, join } from 'node:path';
import { afterRetrying, classifySession } from '../agents/classify.js';
import type { Profiles } from '../agents/choice.js';
import { classifyScreen } from '../agents/screen.js';
import type { EventSink } from '../events/event-log.js';
import type { Clock } from '../lib/clock.js';
import type { Files } from '../lib/files.js';
import type { AgentState } from '../protocol/agent-state.js';
import type { Layout } from '../protocol/layout.js';
import { markerOf, parseClaim } from '../protocol/names.js';
import { RUN_FILES, type AgentRecord, type AttemptRecord } from '../protocol/records.js';
import { readAgent, readAttempt, runDirOf } from '../runs/run-dir.js';
import type { Sessions } from '../tmux/server.js';
import { SessionWitness } from './witness.js';

export interface WatchPorts {
  readonly files: Files;
  readonly clock: Clock;
  readonly events: EventSink;
}

/** One full-screen session that is being watched. */
interface Watched {
  readonly session: string;
  readonly id: string;
  readonly dir: string;
  readonly attempt: AttemptRecord;
  readonly witness: SessionWitness;
  /** What the last look said; a state is written when two looks in a row agree. */
  looked: AgentState | undefined;
  written: AgentRecord | undefined;
}

/** By claim marker. Lost with the pit, and found again from the files. */
export type WatchMemory = Map<string, Watched>;

/** Brings the memory in line with what is claimed, and names the sessions whose screens are wanted. A print-mode session is watched by its hooks' events alone. */
export async function watchedSessions({ files }: WatchPorts, layout: Layout, profiles: Profiles, memory: WatchMemory): Promise<string[]> {
  const present = new Set<string>();
  for (const file of await files.list(layout.dir('claimed'))) {
    const claim = parseClaim(basename(file));
    if (claim === undefined) continue;
    const marker = markerOf(claim);
    present.add(marker);
    if (memory.has(marker)) continue;
    const dir = runDirOf(layout, claim);
    const attempt = (await files.exists(join(dir, RUN_FILES.session))) ? await readAttempt(files, dir) : undefined;
    const profile = attempt === undefined ? undefined : profiles[attempt.profile];
    if (attempt === undefined || profile === undefined || (attempt.mode === 'headless' && profile.hooks === undefined)) continue;
    memory.set(marker, { session: `sp-${claim.nonce}`, id: claim.id, dir, attempt, witness: new SessionWitness(files, profile, attempt, dir), looked: undefined, written: await readAgent(files, dir) });
  }
  for (const marker of memory.keys()) if (!present.has(marker)) memory.delete(marker);
  return [...memory.values()].filter((one) => one.attempt.mode === 'interactive').map((one) => one.session);
}

/** One look at every watched session, by one answer of tmux and the programs' own records. An answer that did not come says nothing about anybody. */
export async function watch(ports: WatchPorts, profiles: Profiles, memory: WatchMemory, sessions: Sessions, retryPatienceMs: number): Promise<void> {
  const { clock } = ports;
  for (const [marker, one] of memory) {
    const interactive = profiles[one.attempt.profile]?.interactive;
    const row = sessions.kind === 'listed' ? sessions.rows.find(({ session }) => session === one.session) : undefined;
    const nowMs = clock.wallMs();
    const { records, session, answer } = await one.witness.look(nowMs);
    const screen = row?.screen === undefined || interactive === undefined ? undefined : classifyScreen(interactive.screen, interactive.dialogs, { title: row.title, text: row.screen, dead: row.dead, nowMs });
    const seen = classifySession({ records, screen, nowMs });
    const retriedMs = one.written?.state.kind === 'retrying' ? nowMs - one.written.since : 0;
    const state = afterRetrying(seen, records.find(({ last }) => last.kind === 'retrying')?.last.endsAs, retriedMs, retryPatienceMs);
    const agreed = one.looked?.kind === state.kind && one.looked.rule === state.rule;
    one.looked = state;
    if (!agreed || (one.written?.state.kind === state.kind && one.written.state.rule === state.rule && one.written.session === session && one.written.answer === answer)) continue;
    // A session that nothing is known of yet has not begun; once it has, "unknown" takes nothing back.
    if (state.kind === 'unknown') continue;
    // What it does while it is being ended is no news of its work.
    if (await ports.files.exists(join(one.dir, RUN_FILES.stop))) continue;
    const since = one.written?.state.kind === state.kind ? one.written.since : nowMs;
    one.written = { state, since, ...(answer === undefined ? {} : { answer }), ...(session === undefined ? {} : { session }) };
    await ports.files.write(join(one.dir, RUN_FILES.agent), `${JSON.stringify(one.written)}\n`);
    await ports.events.emit({ kind: 'agent-state', id: one.id, marker, state: state.kind, rule: state.rule, evidence: state.evidence });
  }
}
