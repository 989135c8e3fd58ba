import { show } from '../lib/text.js';

/** What a path is to a pit. "own": its queue and its state; "project": what they lie in, and its configuration; "above": the directories on the way there. */
export type GroundRole = 'own' | 'project' | 'above';

/** A path as it stands: whose it is, and what its mode lets others do. */
export interface Standing {
  readonly path: string;
  readonly role: GroundRole;
  readonly kind: 'directory' | 'file' | 'link' | 'other';
  readonly uid: number;
  readonly mode: number;
}

const WORLD_WRITABLE = 0o002;
const STICKY = 0o1000;

/** A task is a command that runs as whoever runs the pit: so nobody else may be able to put one in line, or to exchange the directories under it. Says the first thing that is wrong, and what to do. */
export function decideGround(seen: readonly Standing[], uid: number, trusted: readonly number[] = []): string | undefined {
  for (const one of seen) {
    const problem = flaw(one, uid, trusted);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function flaw({ path, role, kind, uid: owner, mode }: Standing, uid: number, trusted: readonly number[]): string | undefined {
  const name = show(path, 500);
  if (role === 'own' && kind === 'link') return `${name} is a symbolic link: what is written there would lie elsewhere, and be anybody's. Remove the link; to keep a pit on another disk, make all of it there`;
  if (role === 'own' && kind !== 'directory') return `${name} is no directory; move it away, and say it again`;
  const own = owner === uid || trusted.includes(owner);
  // Root can do all of this anyway: what it owns above is no flaw.
  if (role !== 'above' && !own && !(role === 'project' && owner === 0)) return `${name} belongs to user ${owner}, and you are user ${uid}: tasks run as you, and its owner could put any in line. Run snakepit as that user, make a directory of your own, or, if you trust user ${owner} with all that you may do: SNAKEPIT_TRUST_UID=${owner}`;
  // A sticky directory lets everybody add, and nobody exchange what is another's: enough for /tmp above a pit, not for a queue.
  if ((mode & WORLD_WRITABLE) !== 0 && (role === 'own' || (mode & STICKY) === 0 || kind === 'file')) return `${name} can be written by everybody on this machine (mode 0${(mode & 0o7777).toString(8)}): tasks run as you, and anybody could put one in line. Mend it with: chmod o-w ${name}`;
  return undefined;
}
