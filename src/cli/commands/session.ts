import { join } from 'node:path';
import { nodeFiles } from '../../lib/node-files.js';
import { parseDuration } from '../../lib/duration.js';
import { show } from '../../lib/text.js';
import { RUN_FILES } from '../../protocol/records.js';
import { print } from '../context.js';
import { CliError, EXIT } from '../exit.js';
import { wordsOrInput } from '../input.js';

/** As much as a result's message keeps (protocol/records.ts `parseResult`). */
const QUESTION_CHARS = 4000;

/** A variable of the session that this runs in. */
export function inSession(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new CliError('this works inside a session that a snake started (SNAKEPIT_* is not set here)', EXIT.usage);
  return value;
}

async function say(value: object): Promise<void> {
  await nodeFiles.write(inSession('SNAKEPIT_RESULT'), `${JSON.stringify({ ...value, at: new Date().toISOString() })}\n`);
}

export async function done(words: readonly string[], options: { verdict?: string }): Promise<void> {
  if (options.verdict !== undefined && options.verdict !== 'PASS' && options.verdict !== 'REJECT') throw new CliError(`${show(options.verdict)} is no verdict; say --verdict PASS or --verdict REJECT`, EXIT.usage);
  await say({ outcome: 'done', message: words.join(' '), ...(options.verdict === undefined ? {} : { verdict: options.verdict }) });
}

export async function fail(words: readonly string[], options: { final?: boolean }): Promise<void> {
  await say({ outcome: 'fail', message: words.join(' '), final: options.final === true });
}

/** The attempt ends with it: the task waits in needs/, and its next attempt is told the answer. */
export async function ask(words: readonly string[]): Promise<void> {
  const question = (await wordsOrInput(words)).trim();
  if (question === '') throw new CliError('the question is empty; say what a person is to decide, and what the choices are', EXIT.usage);
  if (question.length > QUESTION_CHARS) throw new CliError(`the question is longer than ${QUESTION_CHARS} letters; put the rest into a file of the workspace and name that`, EXIT.usage);
  await say({ outcome: 'ask', message: question });
  print('noted: end your turn now. The task waits for a person, and its next attempt is told the answer.');
}

export async function addNote(words: readonly string[]): Promise<void> {
  await nodeFiles.append(join(inSession('SNAKEPIT_RUN_DIR'), RUN_FILES.notes), `${JSON.stringify({ at: Date.now(), text: words.join(' ').slice(0, 2000) })}\n`);
}

export async function waitUntil(time: string): Promise<void> {
  const ms = parseDuration(time);
  const at = ms === undefined ? Date.parse(time) : Date.now() + ms;
  if (Number.isNaN(at)) throw new CliError(`${show(time)} is neither a time nor a duration; write 2026-12-01T02:00 or 10m`, EXIT.usage);
  await nodeFiles.write(join(inSession('SNAKEPIT_RUN_DIR'), RUN_FILES.waitUntil), `${new Date(at).toISOString()}\n`);
  print(`noted: it waits until ${new Date(at).toISOString()}; the watchdog leaves it alone until then, its timeout runs on`);
}
