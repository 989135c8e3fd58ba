import { join } from 'node:path';
import type { Layout } from '../../protocol/layout.js';
import { attemptOf, markerOf, parseClaim, type ClaimName } from '../../protocol/names.js';
import { RUN_FILES, type AgentRecord, type AskRecord, type AttemptRecord, type UsageRecord } from '../../protocol/records.js';
import type { ResidentRow, SnakeRow, Snapshot } from '../../protocol/snapshot.js';
import { sumTokens, type TokenCount } from '../../protocol/tokens.js';
import type { ResidentRecord } from '../../residents/state.js';
import { placesOf } from '../../protocol/resident-places.js';
import { residentMarker, residentSession, runDirOf as residentRunDir, runOf } from '../../residents/places.js';
import { runDirOf } from '../../runs/run-dir.js';
import { sessionDir } from '../../runs/flow-record.js';
import { sessionName } from '../../runs/steps.js';
import type { FlowRecord } from '../../protocol/workflow.js';
import type { Watch } from '../../watchdog/state.js';
import type { Recent } from './recent.js';
import type { SessionRow } from './state.js';

/** What a session's own files say; the same for snakes and residents. */
interface Told {
  readonly attempt: AttemptRecord | undefined;
  readonly agent: AgentRecord | undefined;
  readonly watch: Watch | undefined;
  readonly ask: AskRecord | undefined;
  /** What its session has used so far. */
  readonly usage: UsageRecord | undefined;
  /** The wrapper was let in: there is something to look at. */
  readonly begun: boolean;
}

const tellOf = (recent: Recent, dir: string, now: number): Promise<Told> => recent.made(dir, now, () => readTold(recent, dir, now));

async function readTold(recent: Recent, dir: string, now: number): Promise<Told> {
  const json = <T>(name: string): Promise<T | undefined> => recent.json<T>(join(dir, name), now);
  const attempt = await json<AttemptRecord>(RUN_FILES.attempt);
  const session = await recent.text(join(dir, RUN_FILES.session), now, 200);
  return { attempt, agent: await json(RUN_FILES.agent), watch: await json(RUN_FILES.watch), ask: await json(RUN_FILES.ask), usage: await json(RUN_FILES.usage), begun: session !== undefined };
}

/** Of a snake or a resident: its state, by what it is in it, and what moves. */
function fromTold({ attempt, agent, watch, ask }: Told): Pick<SessionRow, 'why' | 'profile' | 'movedAt' | 'nudges'> & { readonly state: string | undefined } {
  const state = agent?.state;
  const next = watch?.said === undefined || watch.said.action === 'none' ? '' : `; ${watch.said.rule}`;
  const rule = state === undefined ? (watch?.said?.rule ?? '') : `${state.rule}${state.evidence === '' ? '' : ` (${state.evidence})`}${next}`;
  return {
    state: state?.kind,
    why: ask?.open === true && ask.left !== undefined ? `${ask.left.rule}: ${ask.left.evidence}` : rule,
    profile: attempt?.agent,
    movedAt: watch === undefined ? undefined : Math.max(watch.progressAt, agent?.since ?? 0),
    nudges: (watch?.nudgedAt.length ?? 0) + (watch?.doneNudgedAt === undefined ? 0 : 1),
  };
}

export interface SessionFacts {
  readonly layout: Layout;
  readonly recent: Recent;
  readonly snapshot: Snapshot | undefined;
  /** A pit lives. */
  readonly alive: boolean;
  readonly now: number;
  /** By marker, bytes. */
  readonly memory: ReadonlyMap<string, number>;
}

/** One row per snake, working or not, and per resident. Reads only what runs, with what its session has used so far: of what has ended, the tokens of the same tasks. */
export async function observeSessions(facts: SessionFacts): Promise<SessionRow[]> {
  const { layout, recent, snapshot, now } = facts;
  const claims = (await recent.names(layout.dir('claimed'), now)).flatMap((name) => parseClaim(name) ?? []);
  const slots = new Map<string, SnakeRow | undefined>((snapshot?.snakes ?? []).map((row) => [row.snake, row]));
  for (const claim of claims) if (!slots.has(claim.owner.snake)) slots.set(claim.owner.snake, undefined);
  const rows: SessionRow[] = [];
  for (const [snake, slot] of slots) rows.push(await snakeRow(facts, snake, slot, claims.find((claim) => claim.owner.snake === snake)));
  for (const resident of facts.alive ? (snapshot?.residents ?? []) : []) rows.push(await residentRow(facts, resident));
  return rows;
}

async function snakeRow({ layout, recent, now, alive, memory }: SessionFacts, name: string, slot: SnakeRow | undefined, claim: ClaimName | undefined): Promise<SessionRow> {
  const place = slot === undefined ? 'unmanaged' : alive ? slot.state : 'no pit';
  const none = { step: undefined, round: undefined, profile: undefined, movedAt: undefined, nudges: 0, tokens: undefined, memory: undefined, session: undefined };
  if (claim === undefined) return { ...none, name, kind: 'snake', state: place === 'up' ? 'idle' : place, why: slot?.why ?? '', task: undefined, since: undefined, attempt: undefined };
  const base = runDirOf(layout, claim);
  const dir = sessionDir(base, await recent.json<FlowRecord>(join(base, RUN_FILES.workflow), now));
  const told = await tellOf(recent, dir, now);
  const seen = fromTold(told);
  // The snake's own trouble is told before its session's: nobody is there to settle it.
  const state = place === 'up' || place === 'empty' ? (seen.state ?? (told.begun ? 'working' : 'starting')) : place;
  return {
    ...none, ...seen, name, kind: 'snake', state, why: slot?.why ?? seen.why, task: claim.id, ...stepOf(told.attempt),
    since: told.attempt?.startedAt, attempt: attemptOf(claim.counters),
    tokens: together(await earlierTokens(recent, layout, claim, now), told.agent?.tokens ?? told.usage?.tokens), memory: memory.get(markerOf(claim)), session: told.attempt === undefined ? undefined : sessionName(claim.nonce, dir),
  };
}

async function residentRow({ layout, recent, now, memory }: SessionFacts, row: ResidentRow): Promise<SessionRow> {
  const name = row.resident;
  const record = await recent.json<ResidentRecord>(placesOf(layout, name).record, now);
  const run = record === undefined ? undefined : runOf(record.phase);
  const seen = run === undefined ? undefined : fromTold(await tellOf(recent, residentRunDir(layout, name, run), now));
  return {
    name, kind: 'resident', state: row.state, why: row.why ?? (row.nextAt === undefined ? (seen?.why ?? '') : `woken next at ${new Date(row.nextAt).toTimeString().slice(0, 5)}`), task: undefined, step: undefined, round: undefined,
    profile: seen?.profile ?? row.kind, since: row.since, movedAt: seen?.movedAt, nudges: seen?.nudges ?? 0, attempt: undefined, tokens: undefined,
    memory: run === undefined ? undefined : memory.get(residentMarker(name, run)), session: run === undefined ? undefined : residentSession(name, run),
  };
}

/** Of a task that is worked in steps. */
function stepOf(attempt: AttemptRecord | undefined): Pick<SessionRow, 'step' | 'round'> {
  return { step: attempt?.step?.id, round: attempt?.step?.round };
}

const together = (...counts: readonly (TokenCount | undefined)[]): TokenCount | undefined => {
  const known = counts.filter((count): count is TokenCount => count !== undefined);
  return known.length === 0 ? undefined : sumTokens(known);
};

/** What the ended attempts of this task were counted; a first attempt has none, and costs no look. */
async function earlierTokens(recent: Recent, layout: Layout, claim: ClaimName, now: number): Promise<TokenCount | undefined> {
  if (attemptOf(claim.counters) === 1) return undefined;
  const dir = join(layout.runs, claim.id);
  const counted: TokenCount[] = [];
  for (const name of await recent.names(dir, now)) {
    if (!/^\d{3,}-[0-9a-z]{10}$/.test(name) || name.endsWith(claim.nonce)) continue;
    const tokens = (await recent.json<AgentRecord>(join(dir, name, RUN_FILES.agentEnd), now))?.tokens;
    if (tokens !== undefined) counted.push(tokens);
  }
  return counted.length === 0 ? undefined : sumTokens(counted);
}
