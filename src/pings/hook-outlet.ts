import { join } from 'node:path';
import type { Files } from '../lib/files.js';
import { run } from '../lib/run.js';
import { showLines, show } from '../lib/text.js';
import { unreachable } from '../lib/unreachable.js';
import type { Layout } from '../protocol/layout.js';
import type { Outlet, Target, Words } from './outlet.js';
import type { Hook, PingReceipt, Rule } from './state.js';

/** A command that fails as often on one event is not called with it again: those behind it wait. */
const MOST_TRIES = 5;
/** Of a command's output; one that says more is ended. */
const OUTPUT_BYTES = 256 * 1024;

const told = (rule: string, evidence: string): PingReceipt => ({ kind: 'told', rule, evidence });
const refused = (rule: string, evidence: string, final = false): PingReceipt => ({ kind: 'refused', rule, evidence, ...(final ? { final } : {}) });

/** The outlet of a pit, and the hooks among its rules. */
export function withHooks(outlet: Outlet, files: Files, layout: Layout, rules: readonly Rule[]): Outlet {
  const hooks = new Map(rules.flatMap((rule) => (rule.hook === undefined ? [] : [[rule.name, rule.hook] as const])));
  return { find: async (name) => (name.startsWith('hook:') ? hookTarget(files, layout, name, hooks.get(name)) : outlet.find(name)) };
}

/** Where a hook's call goes. A hook that was taken out of the configuration is told nothing any more. */
export function hookTarget(files: Files, layout: Layout, name: string, hook: Hook | undefined): Target {
  if (hook === undefined) return { kind: 'deaf', why: `${name} is in snakepit.yaml no more` };
  return { kind: 'ready', at: name, say: (words) => (hook.kind === 'run' ? call(files, layout, name, hook, words) : hook.kind === 'post' ? post(hook, words) : unreachable(hook)) };
}

/** The event on standard input; the output is kept in .snakepit/log/hooks/. What the command leaves running in the background is its own affair. */
async function call(files: Files, layout: Layout, name: string, { argv, timeoutMs }: Extract<Hook, { kind: 'run' }>, { text, tries = 0 }: Words): Promise<PingReceipt> {
  const { SNAKEPIT_CLAIM: _claim, ...env } = process.env;
  const given = Object.fromEntries(Object.entries({ ...env, SNAKEPIT_DIR: layout.root }).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
  const ran = await run(argv, { timeoutMs, cwd: layout.root, env: given, input: `${text}\n`, maxBytes: OUTPUT_BYTES });
  const log = join(layout.log, 'hooks', `${name.slice('hook:'.length)}.log`);
  await files.makeDir(join(layout.log, 'hooks'));
  await files.write(log, `${text}\n${ran.kind === 'ended' ? `${showLines(ran.stdout + ran.stderr)}\nended with ${ran.code}` : showLines(ran.why)}\n`);
  const final = tries + 1 >= MOST_TRIES;
  if (ran.kind === 'unknown') return refused(show(ran.why), `see ${log}`, final);
  const last = show(`${ran.stdout}${ran.stderr}`.trim().split('\n').at(-1) ?? '');
  return ran.code === 0 ? told('its command ended with 0', last) : refused(`its command ended with ${ran.code}`, `${last === '' ? '' : `${last}; `}see ${log}`, final);
}

/** The event as JSON, or a line of text with a title, as ntfy takes it. What the server says is not kept, since it may be of any length. */
async function post({ url, as, timeoutMs }: Extract<Hook, { kind: 'post' }>, { text }: Words): Promise<PingReceipt> {
  const body = as === 'json' ? { text, headers: { 'content-type': 'application/json' } } : { text: lineOf(text), headers: { 'content-type': 'text/plain; charset=utf-8', title: 'snakepit' } };
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

/** An event in one line: its kind, what it is about, why. */
function lineOf(json: string): string {
  const { kind, id, resident, snake, account, why, rule, problem, evidence } = JSON.parse(json) as Readonly<Record<string, unknown>>;
  const about = [id, resident, snake, account].find((one) => typeof one === 'string');
  const reason = [why, problem, rule, evidence].find((one) => typeof one === 'string' && one !== '');
  return show([String(kind), ...(about === undefined ? [] : [String(about)])].join(' ') + (reason === undefined ? '' : `: ${String(reason)}`), 500);
}
