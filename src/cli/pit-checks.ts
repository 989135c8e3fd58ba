import { accessSync, constants, statfsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { placeOf } from '../config/load.js';
import { DESKTOP_PROGRAMS } from '../pings/hook-desktop.js';
import { isProgram } from '../pings/hook-env.js';
import type { Hook } from '../pings/state.js';
import { QUEUE_STATES } from '../protocol/layout.js';
import { groundFault } from '../queue/observe-ground.js';
import { countRefusals } from '../queue/refusals.js';
import { SLOWER, tryWatch } from '../queue/watch.js';
import { readRefused } from '../recurring/refusals.js';
import { listHindered } from '../runs/hindered.js';
import { listSnakes } from '../runs/registry.js';
import { livePit, readAgents, readConfig, readRules, readSnapshot, type Context } from './context.js';
import { CliError } from './exit.js';
import { MONEY_REMEDY, moneyGaps } from './money-gaps.js';
import { ok, type Finding } from './machine-checks.js';
import { brokenWorkflows } from './workflow-why.js';

/** All that is looked at in one pit's directory. */
export async function checkPit(context: Context): Promise<Finding[]> {
  return [await checkConfig(context), ...(await checkHooks(context)), ...(await checkMetrics(context)), ...(await checkMoney(context)), ...(await checkWorkflows(context)), ...checkFilesystem(context), checkOwner(context), checkSpace(context), checkWatching(context), ...(await checkHindered(context)), ...(await checkProcesses(context)), await checkStuck(context), await checkRefused(context), await checkRecurring(context)];
}

async function checkConfig(context: Context): Promise<Finding> {
  try {
    await readAgents(context, await readConfig(context));
    await readRules(context);
    return ok('configuration', (await context.files.exists(context.layout.configFile)) ? 'snakepit.yaml is good' : 'no snakepit.yaml: the defaults hold');
  } catch (cause) {
    if (!(cause instanceof CliError)) throw cause;
    return { check: 'configuration', level: 'bad', fact: cause.message, remedy: 'mend that line; all keys: snakepit config --defaults' };
  }
}

/** What a budget of money would not see. Of a configuration that is wrong nothing is said here. */
async function checkMoney(context: Context): Promise<Finding[]> {
  try {
    const config = await readConfig(context);
    return moneyGaps(config, await readAgents(context, config), context.clock.wallMs()).map((fact) => ({ check: 'budget', level: 'warn', fact, remedy: MONEY_REMEDY }));
  } catch (cause) {
    if (!(cause instanceof CliError)) throw cause;
    return [];
  }
}

const checkWorkflows = async (context: Context): Promise<Finding[]> =>
  (await brokenWorkflows(context)).map(({ name, fault }) => ({ check: 'workflows', level: 'bad', fact: fault, remedy: `a task that names it fails of that: mend it; whether it is good: snakepit workflows ${name}` }));

/** Whether what hooks call is there, as this command sees it: the pit may have another PATH. Of a configuration that is wrong nothing is said here. */
async function checkHooks(context: Context): Promise<Finding[]> {
  const { files, layout } = context;
  const rules = await readRules(context).catch((cause: unknown) => {
    if (cause instanceof CliError) return [];
    throw cause;
  });
  const hooks = rules.flatMap(({ hook }) => (hook === undefined ? [] : [hook]));
  if (hooks.length === 0) return [];
  const text = await files.read(layout.configFile);
  const findings = hooks.flatMap((hook, index): Finding[] => {
    const lacking = missing(hook, layout.root);
    const key = hook.kind === 'run' ? 'run' : hook.kind;
    return lacking === undefined ? [] : [{ check: 'hooks', level: 'warn', fact: `${placeOf('snakepit.yaml', text, ['hooks', String(index), key])}: ${lacking.fact}`, remedy: lacking.remedy }];
  });
  return findings.length > 0 ? findings : [ok('hooks', `${hooks.length} good; try them with: snakepit notify --test`)];
}

function missing(hook: Hook, root: string): { readonly fact: string; readonly remedy: string } | undefined {
  const there = (program: string): boolean => isProgram(program, process.env['PATH'], root);
  if (hook.kind === 'run' && !there(hook.argv[0])) return { fact: `${hook.argv[0]} is not there, or cannot be run`, remedy: 'mend its name, or chmod +x it' };
  if (hook.kind === 'run') {
    const unset = hook.env.filter((name) => process.env[name] === undefined);
    return unset.length === 0 ? undefined : { fact: `env: ${unset.join(', ')} not set here`, remedy: 'set it where snakepit up is said' };
  }
  if (hook.kind === 'desktop' && !DESKTOP_PROGRAMS.some(({ program }) => there(program))) return { fact: 'desktop: neither notify-send nor osascript is on the PATH', remedy: 'install libnotify-bin, or take bell: or post: instead' };
  return undefined;
}

/** Whether the file could be written, and the port be had; of a pit that runs, whether it has it. */
async function checkMetrics(context: Context): Promise<Finding[]> {
  const config = await readConfig(context).catch((cause: unknown) => {
    if (cause instanceof CliError) return undefined;
    throw cause;
  });
  const { file = '', port = 0 } = config?.metrics ?? {};
  const text = await context.files.read(context.layout.configFile);
  const bad = (key: string, fact: string, remedy: string): Finding => ({ check: 'metrics', level: 'warn', fact: `${placeOf('snakepit.yaml', text, ['metrics', key])}: ${fact}`, remedy });
  const findings: Finding[] = [];
  const path = resolve(context.layout.root, file);
  if (file !== '' && !mayWrite(dirname(path))) findings.push(bad('file', `${dirname(path)} is no directory that you may write`, 'make it, and give it to the user of the pit'));
  else if (file !== '' && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) findings.push(bad('file', `${path} is a directory`, 'name a file in it'));
  if (port !== 0 && !(await metricsAnswer(port, (await livePit(context)) !== undefined))) findings.push(bad('port', `${port} of 127.0.0.1 is somebody else's, or may not be listened on`, 'name another one, above 1023'));
  return findings.length > 0 || (file === '' && port === 0) ? findings : [ok('metrics', [...(file === '' ? [] : [path]), ...(port === 0 ? [] : [`http://127.0.0.1:${port}/metrics`])].join(', '))];
}

function mayWrite(dir: string): boolean {
  try {
    accessSync(dir, constants.W_OK | constants.X_OK);
    return statSync(dir).isDirectory();
  } catch {
    return false;
  }
}

async function metricsAnswer(port: number, pit: boolean): Promise<boolean> {
  if (pit) {
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(5000) }).catch(() => undefined);
    return (await answer?.text())?.includes('snakepit_pit_up ') === true;
  }
  const { serveMetrics } = await import('../metrics/server.js');
  const listening = await serveMetrics(port, async () => '').catch(() => undefined);
  listening?.close();
  return listening !== undefined;
}

/** Magic numbers of filesystems where rename or process identity cannot be trusted across hosts: NFS, SMB, CIFS, 9p, FUSE. */
const REMOTE: Readonly<Record<number, string>> = { 0x6969: 'nfs', 0x517b: 'smb', 0xff534d42: 'cifs', 0xfe534d42: 'smb2', 0x01021997: '9p', 0x65735546: 'fuse' };

function checkFilesystem({ layout }: Context): Finding[] {
  const queue = statSync(layout.queue, { throwIfNoEntry: false });
  const state = statSync(layout.state, { throwIfNoEntry: false });
  if (queue === undefined || state === undefined) return [{ check: 'directories', level: 'bad', fact: `${queue === undefined ? 'queue/' : '.snakepit/'} is missing`, remedy: 'snakepit init makes it' }];
  const apart = QUEUE_STATES.filter((one) => statSync(layout.dir(one), { throwIfNoEntry: false })?.dev !== queue.dev);
  const kind = REMOTE[statfsSync(layout.queue).type];
  const mode = state.mode & 0o777;
  return [
    apart.length === 0 ? ok('one filesystem', 'all of queue/ is on one') : { check: 'one filesystem', level: 'bad', fact: `queue/${apart.join(', queue/')} missing or on another filesystem`, remedy: 'a transition is one rename: put them on the one that queue/ is on; snakepit init makes missing ones' },
    kind === undefined ? ok('local filesystem', 'yes') : { check: 'local filesystem', level: 'warn', fact: `queue/ is on ${kind}`, remedy: 'use a local disk: renames and watchers are not to be trusted over the network' },
    (mode & 0o077) === 0 ? ok('private state', '.snakepit/ is 0700') : { check: 'private state', level: 'warn', fact: `.snakepit/ is 0${mode.toString(8)}`, remedy: `chmod 700 ${layout.state}` },
  ];
}

function checkOwner({ layout }: Context): Finding {
  const fault = groundFault(layout);
  return fault === undefined ? ok('nobody else\'s', 'only you can put tasks in line') : { check: 'nobody else\'s', level: 'bad', fact: fault, remedy: 'see docs/security.md' };
}

/** An attempt makes some twenty files. */
const LEAST_INODES = 500;

function checkSpace({ layout }: Context): Finding {
  const disk = statfsSync(layout.root);
  const gib = (disk.bavail * disk.bsize) / 1024 ** 3;
  if (disk.files > 0 && disk.ffree < LEAST_INODES) return { check: 'free space', level: 'bad', fact: `${disk.ffree} inodes free`, remedy: 'each file needs one: remove what is not needed (df -i . shows them)' };
  const fact = `${gib.toFixed(1)} GiB free`;
  return gib >= 1 ? ok('free space', fact) : { check: 'free space', level: gib >= 0.25 ? 'warn' : 'bad', fact, remedy: 'free some: below min-free nothing new is claimed' };
}

/** What the living say themselves. */
async function checkHindered({ files, processes, layout }: Context): Promise<Finding[]> {
  return (await listHindered(files, processes, layout)).map(({ who, why }) => {
    const [fact, ...remedy] = why.split('; ');
    return { check: who, level: 'bad', fact: `cannot go on, and waits: ${fact ?? ''}`, remedy: remedy.join('; ') };
  });
}

/** As this command finds it: the pit runs as the same user, and the kernel counts by user. */
function checkWatching({ layout }: Context): Finding {
  const fault = tryWatch(layout.queue);
  return fault === undefined ? ok('watching files', 'queue/ can be watched') : { check: 'watching files', level: 'warn', fact: `${fault.fact}: ${SLOWER}`, remedy: fault.remedy };
}

async function checkProcesses(context: Context): Promise<Finding[]> {
  const { files, processes, layout } = context;
  const pit = await livePit(context);
  const alive = (await listSnakes(files, processes, layout)).filter((one) => one.liveness === 'alive').map((one) => one.snake);
  const claimed = (await files.list(layout.dir('claimed'))).length;
  if (pit === undefined) {
    if (alive.length > 0) return [{ check: 'pit', level: 'warn', fact: `dead, while ${alive.join(', ')} ${alive.length === 1 ? 'works' : 'work'} on`, remedy: 'snakepit up takes them over, snakepit down ends them' }];
    if (claimed > 0) return [{ check: 'pit', level: 'warn', fact: `dead, with ${claimed} in queue/claimed/`, remedy: 'snakepit up adopts what still runs, snakepit cleanup requeues the dead' }];
    return [ok('pit', 'not running')];
  }
  const snapshot = await readSnapshot(context);
  const tmux: Finding[] = snapshot?.tmux === 'unknown' ? [{ check: 'tmux server', level: 'bad', fact: 'it does not answer the pit: what runs goes on, nothing new starts', remedy: 'is its server stopped (ps), or the machine overloaded?' }] : [];
  const broken = snapshot?.snakes.filter((row) => row.state === 'broken').map((row) => row.snake) ?? [];
  return [ok('pit', `running, pid ${pit.pid}`), ...tmux, broken.length === 0 ? ok('snakes', `${alive.length} alive, none broken`) : { check: 'snakes', level: 'warn', fact: `broken: ${broken.join(', ')}`, remedy: `why: snakepit logs ${broken[0] ?? ''}; then snakepit up starts them again` }];
}

async function checkStuck({ files, layout }: Context): Promise<Finding> {
  const stuck = (await files.list(layout.dir('stuck'))).length;
  return stuck === 0 ? ok('stuck tasks', 'none') : { check: 'stuck tasks', level: 'warn', fact: `${stuck} in queue/stuck/`, remedy: 'end the processes that are named in snakepit events, then mv the file back to queue/' };
}

async function checkRefused({ files, layout }: Context): Promise<Finding> {
  const refused = await countRefusals(files, layout);
  return refused === 0 ? ok('refused files', 'none') : { check: 'refused files', level: 'warn', fact: `${refused} in queue/failed/`, remedy: 'why: snakepit ls failed; mend them and mv them to queue/' };
}

async function checkRecurring({ files, layout }: Context): Promise<Finding> {
  const refused = Object.keys(await readRefused(files, layout));
  return refused.length === 0 ? ok('recurring tasks', 'no template was refused') : { check: 'recurring tasks', level: 'warn', fact: `refused: ${refused.join(', ')}`, remedy: 'why: snakepit recurring; mend them where they lie, in queue/recurring/' };
}
