import { onPath } from '../agents/find.js';
import { run, type Ran } from '../lib/run.js';

/** One thing that doctor looked at; `remedy` is empty where all is well. */
export interface Finding {
  readonly check: string;
  readonly level: 'ok' | 'warn' | 'bad';
  readonly fact: string;
  readonly remedy: string;
}

export const ok = (check: string, fact: string): Finding => ({ check, level: 'ok', fact, remedy: '' });

export async function checkMachine(): Promise<Finding[]> {
  return [checkNode(), await checkTmux(), ...checkShells()];
}

function checkNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const good = major > 20 || (major === 20 && minor >= 19);
  return good ? ok('node', process.version) : { check: 'node', level: 'bad', fact: process.version, remedy: 'install Node 20.19 or newer' };
}

const TMUX_MISSING = 'install it: apt-get install tmux';
const TMUX_SILENT = 'try tmux -V: is it a wrapper that hangs (type -a tmux), or the machine overloaded?';
const TMUX_MS = 10_000;

const askTmux = (): Promise<Ran> => run(['tmux', '-V'], { timeoutMs: TMUX_MS });

/** Why no session could be started here, with the way out; undefined: tmux answers. */
export async function tmuxFault(): Promise<string | undefined> {
  if (onPath('tmux', process.env['PATH']) === undefined) return `tmux is not on the PATH; ${TMUX_MISSING}`;
  const ran = await askTmux();
  return ran.kind === 'unknown' ? `tmux does not answer (${ran.why}); ${TMUX_SILENT}` : undefined;
}

async function checkTmux(): Promise<Finding> {
  if (onPath('tmux', process.env['PATH']) === undefined) return { check: 'tmux', level: 'bad', fact: 'not found', remedy: TMUX_MISSING };
  const ran = await askTmux();
  if (ran.kind === 'unknown') return { check: 'tmux', level: 'bad', fact: `it does not answer: ${ran.why}`, remedy: TMUX_SILENT };
  if (ran.code !== 0) return { check: 'tmux', level: 'bad', fact: `tmux -V ended with ${ran.code}: ${ran.stderr.trim()}`, remedy: TMUX_MISSING };
  const version = /(\d+)\.(\d+)/.exec(ran.stdout);
  const number = version === null ? 0 : Number(version[1]) + Number(version[2]) / 100;
  return number >= 3.02 ? ok('tmux', ran.stdout.trim()) : { check: 'tmux', level: 'bad', fact: ran.stdout.trim(), remedy: 'install tmux 3.2 or newer (new-session -e)' };
}

function checkShells(): Finding[] {
  return ['sh', 'bash'].map((shell) => {
    const path = onPath(shell, process.env['PATH']);
    if (path !== undefined) return ok(`agent shell: ${shell}`, path);
    return { check: `agent shell: ${shell}`, level: shell === 'sh' ? ('bad' as const) : ('warn' as const), fact: 'not found', remedy: `install ${shell}` };
  });
}
