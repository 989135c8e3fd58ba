import { basename } from 'node:path';
import { parseClaim, type ClaimName } from '../../protocol/names.js';
import { listState } from '../../queue/locate.js';
import type { Context } from '../context.js';

/** The claim of a task or of a snake that is being worked now. */
export async function findRunning({ files, layout }: Context, name: string): Promise<ClaimName | undefined> {
  const claims = (await listState(files, layout, 'claimed')).flatMap((task) => parseClaim(basename(task.file)) ?? []);
  return claims.find((claim) => claim.id === name) ?? claims.find((claim) => claim.owner.snake === name);
}

export const isSnakeName = (name: string): boolean => /^s\d{1,4}$/.test(name);
