import { join, relative } from 'node:path';
import { endSession } from '../agents/end-session.js';
import type { Git } from '../git/run.js';
import { take } from '../lib/baton.js';
import { formatDuration } from '../lib/duration.js';
import type { Outcome } from '../protocol/judge.js';
import { attemptOf, claimEntry, type ClaimName } from '../protocol/names.js';
import { RUN_FILES, type VerifyRun } from '../protocol/records.js';
import type { TaskSpec } from '../protocol/task.js';
import type { Claim } from '../queue/store.js';
import { pastAttempts, runDirOf, sameLife } from '../runs/run-dir.js';
import { workspaceDir, writeWorkspace } from '../workspace/record.js';
import { keep, restore, type CachePorts } from '../workspace/setup-cache.js';
import { decideSetupFailure, readTroubles, tellTrouble, withFailure } from '../workspace/setup-trouble.js';
import { cacheKey, commandsKey, setupWish, type SetupWish } from '../workspace/setup.js';
import type { Workspace } from '../workspace/state.js';
import { runChecks } from './checks.js';
import type { Commands, SnakePorts, SnakeSetting } from './ports.js';

/** "called-off": the claim was lost, cancelled or called back meanwhile, which the next look sees. "not-yet": the commands fail for the whole pit, and are tried again then. */
export type SetUp = { readonly kind: 'ready' } | { readonly kind: 'called-off' } | { readonly kind: 'not-yet'; readonly dueAt: number } | { readonly kind: 'failed'; readonly outcome: Outcome };

type Made = { readonly kind: 'ready'; readonly rule: string } | { readonly kind: 'failed'; readonly run: VerifyRun } | { readonly kind: 'stopped' } | { readonly kind: 'not-yet'; readonly dueAt: number };

/** A merge by a person's hand needs no more than these. */
type SitePorts = Pick<SnakePorts, 'files' | 'processes' | 'clock' | 'git' | 'verify' | 'waitForChange'>;
type SiteSetting = Pick<SnakeSetting, 'layout' | 'config'>;

/** One checkout and what it is made ready by. */
interface Site {
  /** The task. */
  readonly id: string;
  readonly wish: SetupWish;
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly log: string;
  readonly interrupted: () => Promise<boolean>;
  /** A failure of others is waited out. */
  readonly patient: boolean;
}

/** How often whoever waits for another's set-up looks whether it is there. */
const ASK_EVERY_MS = 500;

/** Makes a worktree ready in which no session has worked yet. May be repeated after a crash at any point: until it is marked, it begins anew. */
export async function setUpWorktree(ports: SnakePorts, setting: SnakeSetting, claim: Claim, spec: TaskSpec, workspace: Workspace, env: Readonly<Record<string, string>>, commands: Commands): Promise<SetUp> {
  const { files, clock, events } = ports;
  const { layout, config } = setting;
  const wish = setupWish(config, spec);
  if (wish === undefined || workspace.kind !== 'worktree' || workspace.record.setUp === true) return { kind: 'ready' };
  const { id } = claim.name;
  const dueAt = await standing(ports, setting, wish);
  if (dueAt !== undefined) return { kind: 'not-yet', dueAt };
  const base = runDirOf(layout, claim.name);
  const cancelled = (): Promise<boolean> => files.exists(join(base, RUN_FILES.cancel));
  // What a dead holder of this claim left at work there would work beside us.
  const ended = await endSession(ports.processes, clock, { entry: claimEntry(claim.marker) }, config.graceMs);
  if (ended.kind === 'unknown') return { kind: 'failed', outcome: { kind: 'failed', reason: 'workspace-failed', detail: `an earlier set-up could not be ended: ${ended.evidence}`, final: false } };
  const interrupted = async (): Promise<boolean> => commands.orders.release || (await ports.store.renew(claim)) === 'lost' || cancelled();
  const startedAt = clock.monoMs();
  const log = join(base, RUN_FILES.setup);
  const made = await makeReady(ports, setting, { id, wish, dir: workspace.path, env, log, interrupted, patient: true }, commands);
  switch (made.kind) {
    case 'ready':
      await writeWorkspace(files, layout, { ...workspace.record, setUp: true });
      await tellTrouble(files, layout, wish.commands, undefined);
      await events.emit({ kind: 'worktree-set-up', id, marker: claim.marker, rule: made.rule, evidence: `${wish.commands.join('; ')}; it took ${formatDuration(clock.monoMs() - startedAt)}` });
      return { kind: 'ready' };
    case 'stopped':
      // Prepared all the same, and then stopped for that reason.
      return (await cancelled()) && (await ports.store.renew(claim)) === 'ok' && !commands.orders.release ? { kind: 'ready' } : { kind: 'called-off' };
    case 'not-yet':
      return made;
    case 'failed':
      return { kind: 'failed', outcome: await failure(ports, setting, claim, wish, made.run, log) };
  }
}

/** The merged tree of a task, before its checks. Undefined: it was called off; else the command that failed, or none. */
export async function setUpMerged(ports: SitePorts, setting: SiteSetting, { name }: { readonly name: Pick<ClaimName, 'id' | 'counters' | 'nonce'> }, spec: TaskSpec, dir: string, env: Readonly<Record<string, string>>, interrupted: () => Promise<boolean>, commands: Pick<Commands, 'changed'>): Promise<VerifyRun[] | undefined> {
  const wish = setupWish(setting.config, spec);
  if (wish === undefined) return [];
  const log = join(runDirOf(setting.layout, name), RUN_FILES.setup);
  const made = await makeReady(ports, setting, { id: name.id, wish, dir, env, log, interrupted, patient: false }, commands);
  return made.kind === 'ready' ? [] : made.kind === 'failed' ? [made.run] : undefined;
}

/** Until when these commands are not tried, since they failed; undefined: they are. A clock that was set back shows no wait longer than any that is given. */
async function standing({ files, clock }: SitePorts, { layout, config }: SiteSetting, { commands }: SetupWish): Promise<number | undefined> {
  const until = (await readTroubles(files, layout))[commandsKey(commands)]?.until ?? 0;
  const leftMs = until - clock.wallMs();
  return leftMs > 0 && leftMs <= config.backoff.maxMs ? until : undefined;
}

/** From what an earlier set-up left, else by the commands. One at a time makes what others can then copy. */
async function makeReady(ports: SitePorts, setting: SiteSetting, site: Site, commands: Pick<Commands, 'changed'>): Promise<Made> {
  const { files, processes, clock } = ports;
  const { layout } = setting;
  const { wish, dir } = site;
  const key = ports.git === undefined ? undefined : await cacheKey(files, wish, dir);
  const cache = key === undefined || ports.git === undefined ? undefined : cachePorts(ports, setting, site, ports.git);
  let release: (() => Promise<void>) | undefined;
  try {
    while (cache !== undefined && key !== undefined) {
      const cached = await restore(cache, layout, dir, key);
      if (cached.kind === 'done') return { kind: 'ready', rule: 'copied from what an earlier set-up made' };
      if (cached.kind === 'stopped') return cached;
      if (cached.kind === 'failed') await files.append(site.log, `snakepit: what is kept of an earlier set-up was not used: ${cached.why}\n`);
      if (cached.kind === 'failed' || release !== undefined) break;
      const lock = await take(files, processes, join(layout.state, 'locks', `setup-${key.slice(0, 2)}`));
      if (lock.kind === 'taken') {
        release = lock.release;
        continue;
      }
      if (await site.interrupted()) return { kind: 'stopped' };
      const dueAt = site.patient ? await standing(ports, setting, wish) : undefined;
      if (dueAt !== undefined) return { kind: 'not-yet', dueAt };
      await clock.sleep(ASK_EVERY_MS, commands.changed);
    }
    const runs = await run(ports, setting, site, wish.commands, site.env);
    if (runs === undefined) return { kind: 'stopped' };
    const bad = runs.find(({ code }) => code !== 0);
    if (bad !== undefined) return { kind: 'failed', run: bad };
    if (cache !== undefined && key !== undefined) {
      const kept = await keep(cache, layout, dir, key, wish.paths, clock.wallMs());
      if (kept.kind === 'stopped') return kept;
      if (kept.kind === 'failed') await files.append(site.log, `snakepit: nothing is kept of this set-up: ${kept.why}\n`);
    }
    return { kind: 'ready', rule: 'its commands ended well' };
  } finally {
    await release?.();
  }
}

const run = (ports: SitePorts, setting: SiteSetting, { id, dir, log, wish, interrupted }: Site, commands: readonly string[], env: Readonly<Record<string, string>>): Promise<VerifyRun[] | undefined> =>
  runChecks(ports, setting, commands, { cwd: dir, watched: workspaceDir(setting.layout, id), env, timeoutMs: wish.timeoutMs, log }, interrupted);

const COPY = 'cp -a --reflink=auto -- "$SNAKEPIT_COPY_FROM" "$SNAKEPIT_COPY_TO"';
const SYNC = 'sync -f -- "$SNAKEPIT_COPY_TO" && du -sk -- "$SNAKEPIT_COPY_TO" | cut -f1';

/** Under the claim's mark and with its heartbeat, as the commands are. */
function cachePorts(ports: SitePorts, setting: SiteSetting, site: Site, git: Git): CachePorts {
  const one = async (command: string, from: string, to: string): Promise<VerifyRun | undefined> => (await run(ports, setting, site, [command], { ...site.env, SNAKEPIT_COPY_FROM: from, SNAKEPIT_COPY_TO: to }))?.[0];
  return {
    files: ports.files,
    processes: ports.processes,
    git,
    copy: async (from, to) => {
      const ran = await one(COPY, from, to);
      return ran === undefined ? { kind: 'stopped' } : ran.code === 0 ? { kind: 'copied' } : { kind: 'failed', why: `cp ended with status ${ran.code}: ${ran.tail.at(-1) ?? ''}` };
    },
    sync: async (dir) => {
      const ran = await one(SYNC, '', dir);
      const kib = Number(ran?.tail.at(-1));
      return ran?.code === 0 && Number.isFinite(kib) ? kib * 1024 : undefined;
    },
  };
}

/** No fault of the task's: the pit waits, or a person is asked, by whether it fails for others too. */
async function failure({ files, clock, events }: SnakePorts, { layout, config }: SnakeSetting, claim: Claim, { commands, timeoutMs }: SetupWish, bad: VerifyRun, log: string): Promise<Outcome> {
  const { id, counters } = claim.name;
  const how = bad.code === 124 ? `was ended after setup-timeout: ${formatDuration(timeoutMs)}` : `ended with status ${bad.code}`;
  const evidence = `${bad.command} ${how}${bad.tail.at(-1) === undefined ? '' : `: ${bad.tail.at(-1)}`}`.slice(0, 600);
  const life = sameLife(await pastAttempts(files, layout, id), attemptOf(counters));
  const since = life.findLastIndex(({ record }) => record.outcome.kind !== 'not-set-up');
  const trouble = withFailure((await readTroubles(files, layout))[commandsKey(commands)], commands, id, evidence, relative(layout.root, log), clock.wallMs());
  const verdict = decideSetupFailure(config, id, life.length - since, trouble);
  const until = verdict.kind === 'wait' ? clock.wallMs() + verdict.waitMs : clock.wallMs();
  await tellTrouble(files, layout, commands, verdict.kind === 'wait' ? { ...trouble, until } : undefined);
  await events.emit({ kind: 'set-up-failed', id, marker: claim.marker, until, rule: verdict.rule, evidence });
  const detail = `${evidence} (${relative(layout.root, log)})`;
  return verdict.kind === 'wait' ? { kind: 'not-set-up', detail, waitMs: verdict.waitMs } : { kind: 'parked', reason: 'setup', detail: `${verdict.rule}: ${detail}`, nth: 0 };
}
