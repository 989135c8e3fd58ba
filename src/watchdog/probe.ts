import { join } from 'node:path';
import type { AgentProfile } from '../agents/profile.js';
import { PROGRAM_FILES } from '../agents/program.js';
import { readBreaker, updateBreaker } from '../agents/breaker/store.js';
import { readLines } from '../agents/read-lines.js';
import type { Config } from '../config/config.js';
import type { Files } from '../lib/files.js';
import type { AgentState, AgentStateKind } from '../protocol/agent-state.js';
import type { Layout } from '../protocol/layout.js';
import type { AttemptRecord } from '../protocol/records.js';
import type { LadderPorts } from './ladder.js';
import { hasAnswered, type Witnessed } from './witness.js';

/** Of a print-mode stream: a model's first answer stands near its beginning. */
const STREAM_BYTES = 1024 * 1024;
/** A program that keeps no records, and has not ended for so long, has met no limit: the longest that one tries again by itself is a minute or two. */
const SILENT_PROOF_MS = 5 * 60_000;

/** States in which an answer may be a failure's text, or the last one before it. */
const DOUBTFUL: ReadonlySet<AgentStateKind> = new Set(['starting', 'retrying', 'rate-limited', 'usage-limited', 'auth-failed', 'context-exhausted', 'session-lost', 'errored', 'crashed', 'exited']);

export interface Probing {
  readonly id: string;
  readonly marker: string;
  readonly dir: string;
  readonly attempt: AttemptRecord;
}

/** Closes the breaker as soon as its probe's model has answered: the task itself may take an hour. A lock that is held now is asked for at the next look. */
export async function proveAccount(ports: LadderPorts, layout: Layout, config: Config, profile: AgentProfile | undefined, one: Probing, state: AgentState, seen: Witnessed): Promise<void> {
  const { files, clock, events } = ports;
  const { account, startedAt } = one.attempt;
  const { state: breaker } = await readBreaker(files, layout.breakers, account);
  if (profile === undefined || breaker.kind !== 'half-open' || breaker.probe.marker !== one.marker) return;
  const evidence = await proofOf(files, profile, one, state, seen, clock.wallMs());
  if (evidence === undefined) return;
  const update = await updateBreaker(ports, layout.breakers, account, config.breaker, () => ({ kind: 'worked', marker: one.marker, startedAt, profile: profile.name, evidence }), 0);
  if (update?.change !== undefined) await events.emit(update.change);
}

async function proofOf(files: Files, profile: AgentProfile, { id, dir, attempt }: Probing, state: AgentState, seen: Witnessed, nowMs: number): Promise<string | undefined> {
  const structured = attempt.mode === 'headless' && profile.headless !== undefined && profile.headless.output !== 'text' ? profile.headless : undefined;
  const stream = structured === undefined ? undefined : readLines(structured.rules, (await files.readBytes(join(dir, PROGRAM_FILES.stream), STREAM_BYTES)) ?? '', nowMs);
  if (DOUBTFUL.has(state.kind) || (stream?.last !== undefined && DOUBTFUL.has(stream.last.kind))) return undefined;
  if (seen.answered || (stream !== undefined && hasAnswered(stream, attempt))) return `the model answered ${id} (${stream?.last?.rule ?? state.rule})`;
  const silent = seen.sources === 0 && stream === undefined && nowMs - attempt.startedAt >= SILENT_PROOF_MS;
  return silent ? `${id} has worked for ${Math.round((nowMs - attempt.startedAt) / 1000)} s and met no limit; its program keeps no records` : undefined;
}
