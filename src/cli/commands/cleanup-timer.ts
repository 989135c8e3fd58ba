import { createInterface } from 'node:readline/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../../lib/run.js';
import { openContext, print } from '../context.js';
import { cronBlock, editCrontab, systemdUnits, type TimedCommand } from '../cron.js';
import { CliError, EXIT } from '../exit.js';

const EVERY_MINUTES = 10;
const CALL_MS = 10_000;

function commandOf(root: string, logDir: string): TimedCommand {
  return { node: process.execPath, program: fileURLToPath(new URL('../../../bin/snakepit.js', import.meta.url)), root, log: join(logDir, 'cleanup.log'), path: process.env['PATH'] ?? '/usr/bin:/bin', everyMinutes: EVERY_MINUTES };
}

/** Shows our lines of the user's crontab, asks, and writes or removes them. All other lines stay. */
export async function cleanupCron(dir: string | undefined, install: boolean, options: { yes?: boolean }): Promise<void> {
  const { layout } = openContext(dir);
  const block = cronBlock(commandOf(layout.root, layout.log));
  if (!block.ok) throw new CliError(block.error, EXIT.usage);
  const before = await crontab();
  const after = editCrontab(before, layout.root, install ? block.value : undefined);
  if (!after.ok) throw new CliError(after.error, EXIT.config);
  if (after.value === before) return print(install ? 'the crontab has these lines already' : 'the crontab has no lines of this pit');
  print(install ? `to be written into your crontab:\n\n${block.value.join('\n')}\n` : `to be removed from your crontab: the lines from "${block.value[0]}" on\n`);
  if (options.yes !== true && !(await agreed())) return print('nothing was changed');
  const ran = await run(['crontab', '-'], { timeoutMs: CALL_MS, input: after.value });
  if (ran.kind === 'unknown' || ran.code !== 0) throw new CliError(`crontab did not take it: ${ran.kind === 'unknown' ? ran.why : ran.stderr.trim()}`, EXIT.unavailable);
  print(install ? `written; take it out with: snakepit -C ${layout.root} cleanup --uninstall-cron` : 'removed');
}

export function cleanupSystemd(dir: string | undefined): void {
  const { layout } = openContext(dir);
  process.stdout.write(systemdUnits(commandOf(layout.root, layout.log)));
}

/** The user's crontab; '' where there is none yet. */
async function crontab(): Promise<string> {
  const ran = await run(['crontab', '-l'], { timeoutMs: CALL_MS }).catch((cause: unknown) => ({ kind: 'unknown' as const, why: String(cause) }));
  if (ran.kind === 'ended' && ran.code === 0) return ran.stdout;
  if (ran.kind === 'ended' && /no crontab for/.test(ran.stderr)) return '';
  const why = ran.kind === 'unknown' ? ran.why : ran.stderr.trim();
  throw new CliError(`crontab cannot be used here (${why.split('\n')[0] ?? ''}); for systemd: snakepit cleanup --systemd`, EXIT.unavailable);
}

async function agreed(): Promise<boolean> {
  if (!process.stdin.isTTY) throw new CliError('there is nobody to ask; say --yes', EXIT.usage);
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question('go on? [y/N] ');
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}
