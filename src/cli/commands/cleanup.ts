import { residentMarkers } from '../../residents/markers.js';
import { cleanOnce, planCleanup } from '../../cleanup/specialists.js';
import { SPECIALISTS, type Applied, type SpecialistName, type Step } from '../../cleanup/specialist.js';
import type { CleanupSetting } from '../../cleanup/ports.js';
import type { Successor } from '../../cleanup/state.js';
import { take } from '../../lib/baton.js';
import { systemGit } from '../../git/run.js';
import { workingIn } from '../../lib/linux-processes.js';
import { show } from '../../lib/text.js';
import { foreignHost } from '../../queue/host.js';
import { applyAgents, planAgents } from '../agent-specialists.js';
import { checkGround, livePit, openContext, print, printJson, readConfig, readSnapshot, type Context } from '../context.js';
import { CliError, EXIT } from '../exit.js';

/** One round of the specialists, with or without a pit. The exit code is fsck's: 0 clean, 1 mended, 4 something is left to a person, 5 both. */
export async function cleanup(dir: string | undefined, options: { dryRun?: boolean; json?: boolean; only?: readonly string[] }): Promise<void> {
  const opened = openContext(dir);
  const context = { ...opened, checkouts: { git: systemGit(process.env), workingIn } };
  const { files, processes, layout } = context;
  checkGround(context);
  const host = await foreignHost(files, layout);
  if (host !== undefined) throw new CliError(`tasks here are claimed by the host ${host}: nothing is touched. If that host is gone for good: rm ${layout.host}`, EXIT.busy);
  const config = await readConfig(context);
  const agents = Object.keys(config.specialists);
  const wanted = (name: string): boolean => options.only === undefined || options.only.includes(name);
  const only = options.only?.filter((name) => !agents.includes(name)).map((name) => specialistOf(name, agents));
  const due = agents.some(wanted) ? await planAgents(context, config, wanted) : [];
  const setting: CleanupSetting = {
    layout, config, successor: await successors(context), thorough: true,
    pitId: (await files.read(layout.pitId))?.trim() ?? '', residents: () => residentMarkers(files, layout),
    counting: { outerEnv: process.env, asRoot: process.getuid?.() === 0, programs: true },
  };
  if (options.dryRun === true) return tell([...(await planCleanup(context, setting, only)), ...due], undefined, options.json === true);
  const lock = await take(files, processes, layout.locks.cleanup);
  if (lock.kind === 'held') throw new CliError(`another cleanup is at work (pid ${lock.by.pid})`, EXIT.busy);
  try {
    const { planned, applied } = await cleanOnce(context, setting, only);
    // What the others mended is settled by then: a triage is told of it.
    tell([...planned, ...due], [...applied, ...(await applyAgents(context, config, due))], options.json === true);
  } finally {
    await lock.release();
  }
}

/** A step of a specialist that is code, or of an agent. */
type Said<T extends { readonly specialist: string }> = Omit<T, 'specialist'> & { readonly specialist: string };

function tell(planned: readonly Omit<Said<Step>, 'target'>[], applied: readonly Said<Applied>[] | undefined, json: boolean): void {
  if (json) printJson({ planned, ...(applied === undefined ? {} : { applied }) });
  else {
    if (planned.length === 0) print('clean: there is nothing to do');
    for (const one of planned) print(`${one.verb.padEnd(6)}  ${show(one.subject)}: ${one.rule} (${show(one.evidence)})`);
    for (const one of applied ?? []) print(`${show(one.subject)}: ${one.told}`);
  }
  if (applied === undefined) return;
  const mended = applied.some(({ kind }) => kind === 'done') ? EXIT.mended : EXIT.ok;
  const left = planned.some(({ kind }) => kind === 'refuse') || applied.some(({ kind }) => kind === 'refused') ? EXIT.left : EXIT.ok;
  process.exitCode = mended + left;
}

function specialistOf(name: string, agents: readonly string[]): SpecialistName {
  const found = SPECIALISTS.find((one) => one === name);
  if (found === undefined) throw new CliError(`no specialist is called ${show(name)}; there are: ${[...SPECIALISTS, ...agents].join(', ')}`, EXIT.usage);
  return found;
}

/** A live pit starts the snakes it manages again; without one an `up` may come. */
async function successors(context: Context): Promise<(snake: string) => Successor> {
  if ((await livePit(context)) === undefined) return () => 'possible';
  const snapshot = await readSnapshot(context);
  // Without a snapshot the pit has not made its first round: whatever it will manage is left to it.
  if (snapshot === undefined) return () => 'expected';
  const managed = new Set(snapshot.snakes.filter((row) => row.state === 'up' || row.state === 'starting' || row.state === 'backing-off').map((row) => row.snake));
  return (snake) => (snapshot.mode !== 'now' && managed.has(snake) ? 'expected' : 'refused');
}
