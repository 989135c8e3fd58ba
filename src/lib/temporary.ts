import type { ProcessIdentity } from './processes.js';

/*
 * Names of what is being written beside its target: `.<target>.<pid>-<start>-<boot>.<nonce>.tmp`. The name says whose it is, so
 * what a killed writer left is swept on proof of its death, never by age.
 */

export const temporaryName = (target: string, writer: ProcessIdentity, nonce: string): string => `.${target}.${writer.pid}-${writer.start}-${writer.boot}.${nonce}.tmp`;

export function writerOf(name: string): ProcessIdentity | undefined {
  const match = /^\..+\.(\d+)-(\d+)-([0-9a-f]{8})\.[0-9a-z]{10}\.tmp$/.exec(name);
  return match === null ? undefined : { pid: Number(match[1]), start: match[2] ?? '', boot: match[3] ?? '' };
}
