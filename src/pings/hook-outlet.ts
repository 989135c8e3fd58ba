import { join } from 'node:path';
import type { Files } from '../lib/files.js';
import { run, type Ran } from '../lib/run.js';
import { showLines, show } from '../lib/text.js';
import { unreachable } from '../lib/unreachable.js';
import type { Layout } from '../protocol/layout.js';
import { DESKTOP_PROGRAMS, notifyDesktop } from './hook-desktop.js';
import { desktopEnv, hookEnv, isProgram } from './hook-env.js';
import { wordsOf } from './hook-words.js';
import { bellFile } from './outbox.js';
import type { Outlet, Target, Words } from './outlet.js';
import type { Hook, PingReceipt, Rule } from './state.js';

/** A command that fails as often on one event is not called with it again: those behind it wait. */
const MOST_TRIES = 5;
/** Of a command's output; one that says more is ended. */
const OUTPUT_BYTES = 256 * 1024;

const told = (rule: string, evidence: string): PingReceipt => ({ kind: 'told', rule, evidence });
const refused = (rule: string, evidence: string, final = false): PingReceipt => ({ kind: 'refused', rule, evidence, ...(final ? { final } : {}) });

/** What hooks are called through: the outer environment is the pit's. */
export interface HookPorts {
  readonly files: Files;
  readonly layout: Layout;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Shows a line on every attached terminal, and rings there; says on how many. */
  readonly tell: (text: string, bell: boolean) => Promise<number>;
}

/** The outlet of a pit, and the hooks among its rules. */
export function withHooks(outlet: Outlet, ports: HookPorts, rules: readonly Rule[]): Outlet {
  const hooks = new Map(rules.flatMap((rule) => (rule.hook === undefined ? [] : [[rule.name, rule.hook] as const])));
  return { find: async (name) => (name.startsWith('hook:') ? hookTarget(ports, name, hooks.get(name)) : outlet.find(name)) };
}

/** Where a hook's call goes. A hook that was taken out of the configuration is told nothing any more. */
export function hookTarget(ports: HookPorts, name: string, hook: Hook | undefined): Target {
  if (hook === undefined) return { kind: 'deaf', why: `${name} is in snakepit.yaml no more` };
  return { kind: 'ready', at: name, say: (words) => sayTo(ports, name.slice('hook:'.length), hook, words) };
}

function sayTo(ports: HookPorts, name: string, hook: Hook, words: Words): Promise<PingReceipt> {
  switch (hook.kind) {
    case 'run':
      return call(ports, name, hook, words);
    case 'post':
      return post(hook, words);
    case 'desktop':
      return desktop(ports, name, hook, words);
    case 'bell':
      return bell(ports, words);
    default:
      return unreachable(hook);
  }
}

/** The event on standard input; the output is kept in .snakepit/log/hooks/. What the command leaves running in the background is its own affair. */
async function call({ files, layout, env }: HookPorts, name: string, { argv, env: named, timeoutMs }: Extract<Hook, { kind: 'run' }>, { text, tries = 0 }: Words): Promise<PingReceipt> {
  const ran = await run(argv, { timeoutMs, cwd: layout.root, env: hookEnv(env, layout.root, name, named), input: `${text}\n`, maxBytes: OUTPUT_BYTES });
  return ofRun(ran, await keepOutput(files, layout, name, text, ran), tries);
}

/** Where the last output of a hook's program lies. */
async function keepOutput(files: Files, layout: Layout, name: string, text: string, ran: Ran): Promise<string> {
  const log = join(layout.log, 'hooks', `${name}.log`);
  await files.makeDir(join(layout.log, 'hooks'));
  await files.write(log, `${text}\n${ran.kind === 'ended' ? `${showLines(ran.stdout + ran.stderr)}\nended with ${ran.code}` : showLines(ran.why)}\n`);
  return log;
}

function ofRun(ran: Ran, log: string, tries: number): PingReceipt {
  const final = tries + 1 >= MOST_TRIES;
  if (ran.kind === 'unknown') return refused(show(ran.why), `see ${log}`, final);
  const last = show(`${ran.stdout}${ran.stderr}`.trim().split('\n').at(-1) ?? '');
  return ran.code === 0 ? told('its command ended with 0', last) : refused(`its command ended with ${ran.code}`, `${last === '' ? '' : `${last}; `}see ${log}`, final);
}

async function desktop({ files, layout, env }: HookPorts, name: string, { timeoutMs }: Extract<Hook, { kind: 'desktop' }>, { text, tries = 0 }: Words): Promise<PingReceipt> {
  const ran = await notifyDesktop(wordsOf(text), desktopEnv(env, layout.root, name, process.getuid?.() ?? 0), timeoutMs, (program) => isProgram(program, env['PATH'], '/'));
  if (ran === undefined) return refused(`neither ${DESKTOP_PROGRAMS.map(({ program }) => program).join(' nor ')} is on the PATH of the pit`, 'install libnotify-bin, or take bell: or post: instead', true);
  return ofRun(ran, await keepOutput(files, layout, name, text, ran), tries);
}

/** Nobody who is attached is nobody who hears it; `snakepit top` looks at the file. */
async function bell({ files, layout, tell }: HookPorts, { text }: Words): Promise<PingReceipt> {
  const { title, text: lines } = wordsOf(text);
  const line = show(`${title}: ${lines.split('\n')[0] ?? ''}`, 300);
  await files.write(bellFile(layout), `${line}\n`);
  const terminals = await tell(line, true);
  return told('it rang where somebody is attached', `${terminals} attached terminal${terminals === 1 ? '' : 's'}`);
}

function textBody(event: string): { text: string; headers: Record<string, string> } {
  const { title, text } = wordsOf(event);
  return { text, headers: { 'content-type': 'text/plain; charset=utf-8', title } };
}

/** The event as JSON, or a line of text with a title, as ntfy takes it. What the server says is not kept, since it may be of any length. */
async function post({ url, as, timeoutMs }: Extract<Hook, { kind: 'post' }>, { text }: Words): Promise<PingReceipt> {
  const body = as === 'json' ? { text, headers: { 'content-type': 'application/json' } } : textBody(text);
  try {
    const answer = await fetch(url, { method: 'POST', body: body.text, headers: body.headers, redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
    await answer.body?.cancel();
    const said = `the server answered ${answer.status}`;
    if (answer.ok) return told(said, '');
    // What was wrong with the request stays wrong; all else may pass.
    return refused(said, '', answer.status >= 400 && answer.status < 500 && ![408, 425, 429].includes(answer.status));
  } catch (cause) {
    const why = cause instanceof Error ? (cause.cause instanceof Error ? cause.cause.message : cause.message) : String(cause);
    return refused('the server could not be reached', show(why));
  }
}
