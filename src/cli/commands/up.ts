import { spawn } from 'node:child_process';
import { closeSync, openSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { QUEUE_STATES } from '../../protocol/layout.js';
import { identify } from '../../lib/linux-processes.js';
import type { ProcessIdentity } from '../../lib/processes.js';
import { parseJson } from '../../protocol/records.js';
import { parseDesired, type DesiredRecord } from '../../protocol/snapshot.js';
import { foreignHost } from '../../queue/host.js';
import { ensureLayout } from '../../queue/init.js';
import { SLOWER, tryWatch } from '../../queue/watch.js';
import { checkGround, livePit, note, openContext, print, readAgents, readConfig, readSnapshot, type Context } from '../context.js';
import { tmuxFault } from '../machine-checks.js';
import { MONEY_REMEDY, moneyGaps } from '../money-gaps.js';
import { CliError, EXIT } from '../exit.js';

const START_PATIENCE_MS = 20_000;

export async function writeDesired({ files, layout }: Context, change: (before: DesiredRecord | undefined) => DesiredRecord): Promise<DesiredRecord> {
  const desired = change(parseDesired(parseJson(await files.read(layout.desired))));
  await files.write(layout.desired, `${JSON.stringify(desired)}\n`);
  return desired;
}

export async function up(dir: string | undefined, options: { snakes?: number; foreground?: boolean }): Promise<void> {
  const context = openContext(dir);
  const { files, layout } = context;
  checkGround(context);
  await ensureLayout(files, layout);
  // A name under /tmp that stands in for a path that is too long may be somebody else's already.
  await files.makeDir(dirname(layout.tmuxSocket));
  checkGround(context);
  const config = await readConfig(context);
  const gaps = moneyGaps(config, await readAgents(context, config), context.clock.wallMs());
  for (const gap of gaps) note(`snakepit: a budget of money stands, and ${gap}`);
  if (gaps.length > 0) note(`          ${MONEY_REMEDY}`);
  await checkMachine(context);
  const running = await livePit(context);
  if (options.foreground === true && running !== undefined) throw new CliError(`a pit already runs here (pid ${running.pid}); scale it with: snakepit up -n N`, EXIT.busy);
  let former: DesiredRecord | undefined;
  const desired = await writeDesired(context, (before) => {
    former = before;
    // "run" without a pit: it was killed, and its snakes are to be taken over, not sent home. After `down` the configuration counts.
    const snakes = options.snakes ?? (before !== undefined && (running !== undefined || before.mode === 'run') ? before.snakes : config.snakes);
    return { snakes, mode: 'run', generation: (before?.generation ?? 0) + 1 };
  });
  if (options.foreground === true) {
    const { runPit } = await import('../../pit/main.js');
    process.exitCode = await runPit(layout.root, { foreground: true });
    return;
  }
  if (running !== undefined && former !== undefined && former.mode !== 'run') note(`the pit (pid ${running.pid}) was going down: that is revoked`);
  const { pit, leaving } = await untilUp(context, desired, running);
  const snakes = `${desired.snakes} ${desired.snakes === 1 ? 'snake' : 'snakes'}`;
  if (running?.pid !== pit.pid) print(`the pit is up (pid ${pit.pid}) with ${snakes} in ${layout.root}`);
  else print(`the pit (pid ${pit.pid}) already runs; ${former === undefined || former.snakes === desired.snakes ? snakes : `snakes ${former.snakes} → ${desired.snakes}`}, in ${layout.root}`);
  if (leaving.length > 0) print(`${leaving.join(', ')} had been told to end: ${leaving.length === 1 ? 'it finishes its task, and a new one follows' : 'they finish their tasks, and new ones follow'}`);
}

/** Waits until all snakes are there. One that finishes under an earlier order to end is counted: its successor comes by itself. */
async function untilUp(context: Context, desired: DesiredRecord, running: ProcessIdentity | undefined): Promise<{ pit: ProcessIdentity; leaving: string[] }> {
  const { layout, clock, processes } = context;
  let daemon = running === undefined ? startDaemon(layout.root, layout.log) : undefined;
  const until = clock.monoMs() + START_PATIENCE_MS;
  for (;;) {
    const pit = await livePit(context);
    const snapshot = pit === undefined ? undefined : await readSnapshot(context);
    const rows = (snapshot?.snakes ?? []).filter((row) => Number(row.snake.slice(1)) <= desired.snakes);
    const alive = rows.filter((row) => row.state === 'up' || row.state === 'draining').length;
    if (snapshot !== undefined && pit !== undefined && snapshot.pit.pid === pit.pid && snapshot.mode === 'run' && snapshot.wanted === desired.snakes && alive === desired.snakes) return { pit, leaving: rows.filter((row) => row.state === 'draining').map((row) => row.snake) };
    // It was at the very end of going down when it was told to stay.
    if (pit === undefined && daemon === undefined) daemon = startDaemon(layout.root, layout.log);
    const died = pit === undefined && daemon !== undefined && (await processes.liveness(daemon)) === 'dead' && (await livePit(context)) === undefined;
    if (died || clock.monoMs() > until) {
      throw new CliError(pit === undefined ? `the pit ${died ? 'died while it started' : `did not start within ${START_PATIENCE_MS / 1000} s`}; see ${join(layout.log, 'pit.out')} and: snakepit doctor` : `the pit (pid ${pit.pid}) runs, but ${alive === desired.snakes ? 'has not said yet that it took this order' : `only ${alive} of ${desired.snakes} snakes are up yet`}; see: snakepit status`, EXIT.unavailable);
    }
    await clock.sleep(30);
  }
}

/** What would make every task fail, said before anything starts. */
async function checkMachine({ files, layout }: Context): Promise<void> {
  const tmux = await tmuxFault();
  if (tmux !== undefined) throw new CliError(tmux, EXIT.unavailable);
  const unwatched = tryWatch(layout.queue);
  if (unwatched !== undefined) note(`snakepit: ${unwatched.fact}: ${SLOWER}\n          ${unwatched.remedy}`);
  const device = statSync(layout.queue).dev;
  const apart = QUEUE_STATES.find((state) => statSync(layout.dir(state)).dev !== device);
  if (apart !== undefined) throw new CliError(`queue/${apart} is on another filesystem than queue/; a transition is one rename: put them on one`, EXIT.unavailable);
  const host = await foreignHost(files, layout);
  if (host !== undefined) throw new CliError(`tasks here are claimed by the host ${host}; one directory belongs to one host. If that host is gone for good: rm ${layout.host}`, EXIT.busy);
}

/** Detached: outside our session and of any terminal, its last words in log/pit.out. */
export function startDaemon(root: string, logDir: string): ProcessIdentity | undefined {
  const out = openSync(join(logDir, 'pit.out'), 'a', 0o600);
  const child = spawn(process.execPath, [fileURLToPath(new URL('../../pit/daemon.js', import.meta.url)), root], {
    cwd: root,
    detached: true,
    stdio: ['ignore', out, out],
    env: Object.fromEntries(Object.entries(process.env).filter(([key]) => key.startsWith('SNAKEPIT_CONFIG_') || !key.startsWith('SNAKEPIT_'))),
  });
  child.unref();
  closeSync(out);
  return child.pid === undefined ? undefined : identify(child.pid);
}
