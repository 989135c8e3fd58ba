import { readFileSync } from 'node:fs';
import { run } from '../../lib/run.js';
import { print, printJson } from '../context.js';

export async function version(options: { json?: boolean }): Promise<void> {
  const own = (JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string }).version;
  const asked = await run(['tmux', '-V'], { timeoutMs: 5000 }).catch(() => undefined);
  const tmux = asked?.kind === 'ended' && asked.code === 0 ? asked.stdout.trim().replace(/^tmux /, '') : undefined;
  if (options.json === true) printJson({ snakepit: own, node: process.versions.node, tmux });
  else print(`snakepit ${own}, node ${process.versions.node}, tmux ${tmux ?? 'not found'}`);
}
