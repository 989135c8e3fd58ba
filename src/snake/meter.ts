import { join } from 'node:path';
import { transcriptFiles } from '../agents/glob.js';
import { LINE_BYTES, LineReader } from '../agents/lines.js';
import { LineSplitter } from '../agents/line-splitter.js';
import type { AgentProfile, LineRule } from '../agents/profile.js';
import { PROGRAM_FILES } from '../agents/program.js';
import { parseJson, RUN_FILES, type AttemptRecord, type UsageRecord } from '../protocol/records.js';
import { allTokens, sumTokens, tokensSince, type TokenCount, type TokenRecord } from '../protocol/tokens.js';
import type { Claim } from '../queue/store.js';
import { countedBefore } from '../runs/count-run.js';
import { runDirOf } from '../runs/run-dir.js';
import { sessionDir } from '../runs/flow-record.js';
import { lookAtBudget, tellsFirst } from '../runs/task-budget.js';
import { readSpec } from '../runs/task-copy.js';
import type { SnakePorts, SnakeSetting } from './ports.js';
import type { AttemptView } from './state.js';

/** Between two looks at what a session has used. */
const METER_EVERY_MS = 2000;
const CHUNK = 1024 * 1024;

interface Source {
  readonly lines: LineSplitter;
  readonly reader: LineReader;
  /** Its path names the session; otherwise its lines must. */
  readonly named: boolean;
  offset: number;
}

/** What is metered of one session. */
interface Metered {
  readonly dir: string;
  readonly session: string;
  readonly sources: Map<string, Source>;
  /** Of the files whose path names the session: a turn that stands in two of them counts once. */
  readonly shared: LineReader;
  readonly before: readonly TokenRecord[] | undefined;
  written: number;
}

/**
 * Keeps beside a run what its session has used so far, from the program's own records, read as they grow. A guide for budgets and for people: what
 * counts is counted at the end (runs/count-run.ts). Lost with its snake, and found again from the files.
 */
export class SessionMeter {
  private metered: Metered | undefined;
  private lookedMonoMs = Number.NEGATIVE_INFINITY;

  /** One look, where it is time for one and the session runs. */
  async look(ports: SnakePorts, setting: SnakeSetting, claim: Claim, view: AttemptView): Promise<void> {
    const { attempt } = view;
    if (!view.held || attempt === undefined || view.session === undefined || view.exit !== undefined || view.stop !== undefined || view.outcome !== undefined) return;
    if (ports.clock.monoMs() - this.lookedMonoMs < METER_EVERY_MS) return;
    this.lookedMonoMs = ports.clock.monoMs();
    const profile = (await setting.profiles())[attempt.profile];
    const dir = sessionDir(runDirOf(setting.layout, claim.name), view.flow);
    if (profile !== undefined) await this.measure(ports, setting, claim, dir, attempt, profile, (attempt.resumed ? undefined : view.agent?.session) ?? attempt.session);
    if (view.budget?.kind === 'near') await tellBudgetOf(ports, setting, claim, dir);
  }

  private async measure(ports: SnakePorts, setting: SnakeSetting, claim: Claim, dir: string, attempt: AttemptRecord, profile: AgentProfile, session: string): Promise<void> {
    const from = sourceOf(profile, attempt.mode);
    if (from === undefined) return;
    if (this.metered?.dir !== dir || this.metered.session !== session) {
      const before = attempt.resumed && from.kind === 'transcript' ? await countedBefore(ports.files, setting.layout, claim.name.id, dir, session) : [];
      this.metered = { dir, session, sources: new Map(), shared: new LineReader(from.rules), before, written: -1 };
    }
    const { metered } = this;
    // A session of which nothing is known from before: what came to it cannot be told.
    if (metered.before === undefined) return;
    const paths = from.kind === 'transcript' ? await transcriptFiles(ports.files, attempt.home, from.glob, session) : [join(dir, from.file)];
    for (const path of paths) await grow(ports, metered, path, from.rules, from.kind === 'own' || path.slice(attempt.home.length).includes(session));
    const counts = [metered.shared.facts().tokens, ...[...metered.sources.values()].map(({ named, reader }) => (!named && reader.facts().session === session ? reader.facts().tokens : undefined))];
    const whole = counts.filter((count): count is TokenCount => count !== undefined);
    const added = whole.length === 0 ? undefined : tokensSince(sumTokens(metered.before), sumTokens(whole));
    if (added === undefined || allTokens(added) === metered.written) return;
    metered.written = allTokens(added);
    await ports.files.write(join(dir, RUN_FILES.usage), `${JSON.stringify({ v: 1, at: ports.clock.wallMs(), tokens: added } satisfies UsageRecord)}\n`);
  }
}

type From = { readonly kind: 'transcript'; readonly glob: string; readonly rules: readonly LineRule[] } | { readonly kind: 'own'; readonly file: string; readonly rules: readonly LineRule[] };

/** Where its figures stand while it runs. A transcript that the program itself must print is had at the end alone. */
function sourceOf({ transcript, headless, hooks }: AgentProfile, mode: AttemptRecord['mode']): From | undefined {
  const tells = (rules: readonly LineRule[] | undefined): rules is readonly LineRule[] => rules?.some((rule) => rule.usage !== undefined) === true;
  if (transcript?.kind === 'jsonl') return { kind: 'transcript', glob: transcript.glob, rules: transcript.rules };
  if (mode === 'headless' && tells(headless?.rules)) return { kind: 'own', file: PROGRAM_FILES.stream, rules: headless.rules };
  return tells(hooks?.rules) ? { kind: 'own', file: PROGRAM_FILES.events, rules: hooks.rules } : undefined;
}

async function grow({ files, clock }: SnakePorts, { sources, shared }: Metered, path: string, rules: readonly LineRule[], named: boolean): Promise<void> {
  let known = sources.get(path);
  if (known === undefined) sources.set(path, (known = { lines: new LineSplitter(LINE_BYTES), reader: named ? shared : new LineReader(rules), named, offset: 0 }));
  for (let bytes = await files.readFrom(path, known.offset, CHUNK); bytes.length > 0; bytes = await files.readFrom(path, known.offset, CHUNK)) {
    known.offset += bytes.length;
    for (const line of known.lines.push(bytes)) known.reader.event(parseJson(line), clock.wallMs());
  }
}

/** Looks at the budget of the task of a run, and tells. */
export async function tellBudgetOf(ports: SnakePorts, setting: SnakeSetting, claim: Claim, dir: string): Promise<void> {
  const spec = await readSpec(ports.files, dir);
  if (spec !== undefined) await tellBudget(ports, setting, claim, await lookAtBudget(ports.files, setting.layout, setting.config, claim.name, spec, ports.clock.wallMs()));
}

/** Tells once that the budget of a task is nearly spent, and once that it is. */
export async function tellBudget({ files, events }: SnakePorts, { layout }: SnakeSetting, claim: Claim, budget: Awaited<ReturnType<typeof lookAtBudget>>): Promise<void> {
  if (budget === undefined || budget.verdict.kind === 'within' || !(await tellsFirst(files, layout, claim.name, budget))) return;
  const { kind, unit, rule, evidence } = budget.verdict;
  await events.emit({ kind: kind === 'near' ? 'budget-warned' : 'budget-reached', id: claim.name.id, unit, rule, evidence });
}
