import { readFile } from 'node:fs/promises';
import { errorCode } from '../lib/files.js';
import { show } from '../lib/text.js';
import { CliError, EXIT } from './exit.js';

/** The bytes of a file, or of standard input where it is called `-`. Throws a CliError where it cannot be read. */
export async function readInput(file: string): Promise<Uint8Array> {
  if (file !== '-') {
    return readFile(file).catch((cause: unknown) => {
      throw new CliError(`${show(file)} cannot be read (${errorCode(cause)}); check the path`, EXIT.notFound);
    });
  }
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** What was said on the command line: its words, or standard input where the only word is `-`. */
export async function wordsOrInput(words: readonly string[]): Promise<string> {
  return words.length === 1 && words[0] === '-' ? Buffer.from(await readInput('-')).toString('utf8') : words.join(' ');
}
