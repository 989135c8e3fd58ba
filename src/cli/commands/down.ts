import { join } from 'node:path';
import { livePit, note, openContext, print, readSnapshot } from '../context.js';
import { CliError, EXIT } from '../exit.js';
import { pitEntry } from '../../protocol/names.js';
import { parseJson } from '../../protocol/records.js';
import { parseDesired } from '../../protocol/snapshot.js';
import { listState } from '../../queue/locate.js';
import { listSnakes } from '../../runs/registry.js';
import { startDaemon, writeDesired } from './up.js';

const NOW_PATIENCE_MS = 60_000;

export async function down(dir: string | undefined, options: { now?: boolean }): Promise<void> {
  const context = openContext(dir);
  const { layout, clock, files, processes } = context;
  const mode = options.now === true ? 'now' : 'drain';
  await writeDesired(context, (before) => ({ snakes: before?.snakes ?? 0, mode, generation: before?.generation ?? 0 }));
  // A dead pit may have left snakes and sessions: a pit that is told to go down takes them over, and then leaves nothing.
  let pit = await livePit(context);
  let ender = pit;
  if (pit === undefined && (await somethingLeft())) {
    if (mode === 'drain' && (await files.list(layout.dir('claimed'))).length > 0) note('the pit is dead: a new one takes over what still runs, and claims nothing more');
    ender = startDaemon(layout.root, layout.log);
  }
  const startedAt = clock.monoMs();
  let said = '';
  for (;;) {
    pit = await livePit(context);
    ender = pit ?? ender;
    if (pit === undefined && (ender === undefined || (await processes.liveness(ender)) === 'dead')) break;
    if (parseDesired(parseJson(await files.read(layout.desired)))?.mode === 'run') throw new CliError('somebody said snakepit up meanwhile, which revokes this: the pit stays up', EXIT.busy);
    const running = await listState(files, layout, 'claimed');
    const line = running.length === 0 ? '' : `waiting for ${running.length} running: ${running.map((task) => task.id).slice(0, 5).join(', ')} (stop them with: snakepit down --now)`;
    if (line !== '' && line !== said && mode === 'drain') note(line);
    said = line;
    if (mode === 'now' && clock.monoMs() - startedAt > NOW_PATIENCE_MS) throw new CliError(`the pit (pid ${pit?.pid ?? '?'}) is still going down after ${NOW_PATIENCE_MS / 1000} s; see: snakepit status`, EXIT.unavailable);
    await clock.sleep(50);
  }
  await prove();

  async function somethingLeft(): Promise<boolean> {
    if ((await listSnakes(files, processes, layout)).length > 0 || (await files.exists(layout.tmuxSocket))) return true;
    return (await files.list(layout.dir('claimed'))).length > 0 || (await files.list(layout.dir('reaping'))).length > 0;
  }

  /** What `down` promises: no snake, no session, no process that bears this pit's mark. */
  async function prove(): Promise<void> {
    const pitId = (await files.read(layout.pitId))?.trim() ?? '';
    const left = await processes.find({ entry: pitEntry(pitId) });
    const mine = new Set(ancestors());
    const others = left.processes.filter((one) => !mine.has(one.pid));
    if (!left.complete) throw new CliError('the process table could not be read: what is left is unknown', EXIT.unavailable);
    const snakes = (await listSnakes(files, processes, layout)).filter((one) => one.liveness !== 'dead');
    // A pit that could not start ends nothing: snakes bear no mark of the pit, their registration tells of them.
    if (snakes.length > 0) throw new CliError(`still alive: ${snakes.map((one) => `${one.snake} (pid ${one.process.pid})`).join(', ')}; the pit that was to end them did not: see ${join(layout.log, 'pit.out')} and say snakepit down again`, EXIT.unavailable);
    if (others.length > 0) throw new CliError(`still alive: ${others.map((one) => one.pid).join(', ')}; end them by hand and say snakepit down again`, EXIT.unavailable);
    if (await files.exists(layout.tmuxSocket)) throw new CliError(`tmux does not answer: whether the server at ${layout.tmuxSocket} still runs is not known; no snake and no session is left. Say snakepit down again when tmux -V answers`, EXIT.unavailable);
    const snapshot = await readSnapshot(context);
    if (snapshot !== undefined) await files.remove(layout.snapshot);
    print('the pit is down; no snake, no session and no process of it is left');
  }

  function ancestors(): number[] {
    return [process.pid, process.ppid];
  }
}
