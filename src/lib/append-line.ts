import type { Files } from './files.js';

const NEWLINE = 10;

/**
 * Appends lines, given without their last newline. A last line that has none, torn by a kill or a full disk or left so by an
 * editor, is ended first: it takes no other with it. Not atomic between writers; of ours, each file has one at a time.
 */
export async function appendLine(files: Files, file: string, text: string): Promise<void> {
  const size = (await files.inspect(file))?.size ?? 0;
  const last = size === 0 ? NEWLINE : (await files.readFrom(file, size - 1, 1))[0];
  await files.append(file, `${last === NEWLINE ? '' : '\n'}${text}\n`);
}
