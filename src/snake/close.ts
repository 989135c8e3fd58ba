import { join, relative } from 'node:path';
import type { StepEnv } from '../agents/session-env.js';
import type { Ended } from '../agents/end-session.js';
import { parseJson, RUN_FILES, type VerifyRun } from '../protocol/records.js';
import type { FlowRecord, StepEnd, Verdict } from '../protocol/workflow.js';
import { childrenOf } from '../queue/children.js';
import type { Claim } from '../queue/store.js';
import { feedbackFor, iterFile, verdictWord } from '../workflow/feedback.js';
import { changesBetween, fingerprint, type Fingerprint } from '../workflow/fingerprint.js';
import { matchingLines, missingHands } from '../workflow/hands.js';
import { differences, fingerprint as checkoutOf, type Fingerprint as Checkout } from '../workspace/guard.js';
import { verdictOf } from '../workflow/verdict.js';
import { tellAccount } from './account.js';
import { runName, stepAt, tellFlow } from './flow.js';
import type { SnakePorts, SnakeSetting } from './ports.js';
import type { AttemptView } from './state.js';
import { runDirOf } from '../runs/run-dir.js';
import { sessionDir } from '../runs/flow-record.js';
import { countRun } from '../runs/count-run.js';

/** Of what a session said last, as the record keeps it. */
const MESSAGE_CHARS = 4000;

/** Where an engine keeps its own files inside a tree that a step works in. */
const engineFiles = ({ layout }: SnakeSetting, workspace: string): ReadonlySet<string> => new Set([layout.state, layout.queue, join(workspace, '.snakepit-result.json')]);

/** Before a step that may only read: how the tree stands. */
export async function rememberTree(ports: SnakePorts, setting: SnakeSetting, dir: string, workspace: string): Promise<void> {
  await ports.files.write(join(dir, RUN_FILES.treeBefore), `${JSON.stringify(await treeOf(ports, setting, workspace))}\n`);
}

/** A tree as it stands. In a checkout git says what is changed, so that what it ignores (caches, builds) is no part of the work; elsewhere all files are listed. */
async function treeOf({ files, clock, git }: SnakePorts, setting: SnakeSetting, workspace: string): Promise<Tree> {
  const ours = engineFiles(setting, workspace);
  if (git !== undefined && (await files.exists(join(workspace, '.git')))) {
    const seen = await checkoutOf({ files, clock, git }, workspace, [...ours].map((path) => relative(workspace, path)).filter((path) => path !== '' && !path.startsWith('..')));
    if (seen.ok) return { kind: 'git', seen: seen.value };
  }
  return { kind: 'files', seen: await fingerprint(files, workspace, ours) };
}

type Tree = { readonly kind: 'git'; readonly seen: Checkout } | { readonly kind: 'files'; readonly seen: Fingerprint };

function treeChanges(before: Tree, after: Tree): string | undefined {
  if (before.kind === 'files' && after.kind === 'files') return changesBetween(before.seen, after.seen);
  if (before.kind !== 'git' || after.kind !== 'git') return 'it became a checkout of git, or is none any more';
  const found = differences(before.seen, after.seen);
  return found.length === 0 ? undefined : `${found.slice(0, 5).join(', ')}${found.length > 5 ? ` and ${found.length - 5} more` : ''}`;
}

/** The session of a step has ended well: what it left is ended, its tokens are counted, its bounds are looked at, and its end is recorded. */
export async function closeStep(ports: SnakePorts, setting: SnakeSetting, claim: Claim, view: AttemptView, record: FlowRecord, end: (rule: string) => Promise<Ended>): Promise<Ended> {
  const { files, events, clock } = ports;
  const base = runDirOf(setting.layout, claim.name);
  const dir = sessionDir(base, record);
  const { attempt } = view;
  const step = stepAt(record);
  let ended = await end('its step is over');
  if (attempt === undefined || step === undefined || record.next.kind !== 'step') return ended;
  if (ended.kind === 'gone' && (await countRun(ports, setting, { id: claim.name.id, dir, attempt, endedAt: view.exit?.endedAt ?? clock.wallMs(), step: step.id, marker: claim.marker })).ran) ended = await end('after its transcript was read');
  if (ended.kind === 'unknown') return ended;
  const said = view.result?.kind === 'done' ? view.result : undefined;
  const answer = view.agent?.answer ?? '';
  await tellAccount(ports, setting, claim, view, attempt, { kind: 'done', message: '' });
  const message = (said?.message || answer).slice(0, MESSAGE_CHARS);
  const verdict: Verdict | undefined = step.verdict ? verdictOf({ field: said?.verdict, text: `${said?.message ?? ''}\n${answer}` }) : undefined;
  const broke = await brokenBounds(ports, setting, record, dir, attempt.workspace);
  const { round, seat } = record.next;
  if (broke === undefined) await files.write(join(record.handed, `said-${step.id}${seat > 0 ? `-${seat + 1}` : ''}.md`), `${(await files.read(join(dir, RUN_FILES.feedback), 64 * 1024)) ?? (said?.message || answer)}\n`);
  const told: StepEnd = { kind: 'step-ended', step: step.id, seat, round, run: runName(base, dir), agent: attempt.agent, account: attempt.account, startedAt: attempt.startedAt, endedAt: view.exit?.endedAt ?? clock.wallMs(), verdict, message, broke };
  await tellFlow(ports, setting, claim, record, told);
  await events.emit({ kind: 'step-ended', id: claim.name.id, marker: claim.marker, step: step.id, round, seat, end: broke === undefined ? 'done' : 'broken', verdict: verdict?.kind ?? '', evidence: broke ?? (verdict === undefined ? '' : verdictWord(verdict)) });
  return ended;
}

/** What a step did that it may not, or left undone; undefined: nothing. */
async function brokenBounds(ports: SnakePorts, setting: SnakeSetting, record: FlowRecord, dir: string, workspace: string): Promise<string | undefined> {
  const step = stepAt(record);
  if (step === undefined) return undefined;
  if (step.rights === 'read') {
    const before = parseJson<Tree>(await ports.files.read(join(dir, RUN_FILES.treeBefore), 64 * 1024 * 1024));
    if (before === undefined) return 'how the tree stood before it is not known';
    const changes = treeChanges(before, await treeOf(ports, setting, workspace));
    if (changes !== undefined) return `it may only read, and the tree has changed: ${changes}`;
  }
  return missingHands(ports.files, record.handed, step.hands);
}

/** Looks at what a loop ends by, counts its items, or looks whether all children have ended, and records what was found. */
export async function lookAtLoop(ports: SnakePorts, setting: SnakeSetting, claim: Claim, record: FlowRecord, run: (command: string) => Promise<VerifyRun | undefined>): Promise<void> {
  const { next } = record;
  if (next.kind === 'await') {
    const { done, failed, open } = await childrenOf(ports.files, setting.layout, claim.name.id, next.without);
    if (open.length === 0) await tellFlow(ports, setting, claim, record, { kind: 'awaited', done: done.length, failed });
  }
  if (next.kind === 'count') {
    const items = await matchingLines(ports.files, record.handed, next.each.file, next.each.line);
    await tellFlow(ports, setting, claim, record, { kind: 'counted', loop: next.loop, items: typeof items === 'number' ? items : 0 });
  }
  if (next.kind !== 'check') return;
  const { until } = next;
  if (until.kind === 'file') {
    const found = await matchingLines(ports.files, record.handed, until.file, until.line);
    await tellFlow(ports, setting, claim, record, { kind: 'checked', loop: next.loop, round: next.round, held: typeof found === 'number' && found > 0, evidence: found === undefined ? `there is no ${until.file}` : `${String(found)} lines of ${until.file} match` });
    return;
  }
  const ran = await run(until.command);
  if (ran !== undefined) await tellFlow(ports, setting, claim, record, { kind: 'checked', loop: next.loop, round: next.round, held: ran.code === 0, evidence: `status ${ran.code}: ${ran.tail.slice(-1).join('')}`.slice(0, 400) });
}

/** What a step's session is given beyond what every session is: where it stands, and what was handed on. */
export function termsOf(base: string, record: FlowRecord): StepEnv | undefined {
  const step = stepAt(record);
  if (step === undefined || record.next.kind !== 'step') return undefined;
  const { round, of, seat, item } = record.next;
  const feedback = feedbackFor(record.events, step.verdict);
  return { workflow: record.workflow.name, step: step.id, round, rounds: of, seat, item, stepDir: sessionDir(base, record), handed: record.handed, feedback: feedback?.number === undefined ? '' : join(record.handed, iterFile(feedback.number)) };
}
