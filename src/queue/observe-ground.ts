import { lstatSync, statSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { QUEUE_STATES, type Layout } from '../protocol/layout.js';
import { decideGround, type GroundRole, type Standing } from './ground.js';

/** Looks at every directory of a pit that is there, at its configuration, and at what lies above. Changes nothing. */
export function observeGround(layout: Layout): Standing[] {
  const own = [layout.queue, layout.tmp, layout.recurring, layout.archive, ...QUEUE_STATES.map((state) => layout.dir(state)), layout.state, layout.snakes, layout.hindered, layout.runs, layout.homes, layout.residents, layout.log, layout.digests, layout.breakers, layout.pings, layout.recurringState, layout.bin, dirname(layout.locks.pit), dirname(layout.tmuxSocket)];
  const above: string[] = [];
  for (let at = layout.root; dirname(at) !== at; at = dirname(at)) above.push(dirname(at));
  return [
    ...own.flatMap((path) => standing(path, 'own', lstatSync(path, { throwIfNoEntry: false }))),
    ...[layout.root, layout.configFile].flatMap((path) => standing(path, 'project', statSync(path, { throwIfNoEntry: false }))),
    ...above.flatMap((path) => standing(path, 'above', statSync(path, { throwIfNoEntry: false }))),
  ];
}

function standing(path: string, role: GroundRole, stat: Stats | undefined): Standing[] {
  if (stat === undefined) return [];
  return [{ path, role, kind: stat.isSymbolicLink() ? 'link' : stat.isDirectory() ? 'directory' : stat.isFile() ? 'file' : 'other', uid: stat.uid, mode: stat.mode }];
}

/** The first flaw of the ground that a pit stands on, in words; undefined: it is safe. `trusted`: user ids that may own it too. */
export function groundFault(layout: Layout, trusted: readonly number[] = []): string | undefined {
  return decideGround(observeGround(layout), process.geteuid?.() ?? 0, trusted);
}
