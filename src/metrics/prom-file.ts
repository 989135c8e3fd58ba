import { chmodSync, closeSync, constants, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** node_exporter runs as somebody else; all else that we write is the owner's alone. Nothing in metrics is a secret. */
const MODE = 0o644;

/** Written beside, under a name that a collector does not read, and renamed: nobody reads half of it. Throws where it cannot be written. */
export function writePromFile(path: string, text: string): void {
  const beside = join(dirname(path), `.${basename(path)}.new`);
  rmSync(beside, { force: true });
  const fd = openSync(beside, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, MODE);
  try {
    try {
      writeFileSync(fd, text);
      chmodSync(beside, MODE);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(beside, path);
  } catch (cause) {
    rmSync(beside, { force: true });
    throw cause;
  }
}

/** Of a pit that writes it no more. */
export const removePromFile = (path: string): void => rmSync(path, { force: true });
