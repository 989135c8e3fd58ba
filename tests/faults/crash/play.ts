import { ACTORS, type ActorName } from './actors.js';
import { workOff, type Actor } from './acts.js';
import { audit, found, type Found } from './audit.js';
import { Stage, type Stop } from './stage.js';

/** How a case ended. `died`: the process was killed at its stop; it may have come to its end before. */
export interface Played {
  readonly died: boolean;
  readonly faults: readonly string[];
  readonly found: Found;
}

/** One case: the world is laid, the actor dies, whoever repairs comes, what is in line is worked, and all is looked at. */
export async function play(name: ActorName, stop: Stop | undefined, dist?: string): Promise<Played> {
  const actor: Actor = ACTORS[name];
  const stage = await Stage.open({ dist, more: actor.more ?? [], repo: actor.repo === true, hooks: actor.hooks === true });
  const faults: string[] = [];
  let died = false;
  let seen: Found = { counters: '', starts: 0 };
  try {
    await actor.arrange(stage);
    const ended = await actor.act(stage, stop);
    died = ended.signal === 'SIGKILL';
    // On a full disk whoever writes may well give up: what matters is what lies there.
    if (!died && stop?.when !== 'full' && (ended.code ?? 99) > 1) faults.push(`it ended with ${ended.code ?? ended.signal ?? ''}: ${ended.output}`);
    await actor.again(stage);
    const goals = typeof actor.goals === 'function' ? actor.goals(stage) : actor.goals;
    if (typeof actor.goals === 'function' && goals.length > 1) faults.push(`${goals.length} instances were made`);
    await workOff(stage, goals);
    await stage.cli(['cleanup', ...(actor.more === undefined ? [] : ['--only', 'reaper', 'orphans', 'reconciler', 'sweeper'])]);
    faults.push(...(await audit(stage, goals)), ...(actor.also?.(stage) ?? []));
    if (goals[0] !== undefined) seen = found(stage, goals[0].id);
  } catch (cause) {
    faults.push(String(cause));
  }
  faults.push(...(await stage.close()));
  return { died, faults, found: seen };
}

/** The operations of a clean run. */
export async function operations(name: ActorName, dist?: string): Promise<string[]> {
  const actor: Actor = ACTORS[name];
  const stage = await Stage.open({ dist, more: actor.more ?? [], repo: actor.repo === true, hooks: actor.hooks === true });
  try {
    await actor.arrange(stage);
    return await stage.listing((list) => actor.act(stage, undefined, list));
  } finally {
    await stage.close();
  }
}
