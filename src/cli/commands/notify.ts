import { EVENT_VERSION, type EventLine } from '../../events/event.js';
import { unreachable } from '../../lib/unreachable.js';
import { hookTarget } from '../../pings/hook-outlet.js';
import { hookName } from '../../pings/hooks.js';
import type { Hook, PingReceipt } from '../../pings/state.js';
import { TmuxServer } from '../../tmux/server.js';
import { openContext, print, printJson, readRules } from '../context.js';
import { CliError, EXIT } from '../exit.js';

interface Row {
  readonly hook: string;
  readonly does: string;
  readonly receipt: PingReceipt | undefined;
}

/** The hooks of snakepit.yaml; with `test`, each (or each named one) is called now, once, with an event of its own. Exit code 1: one was refused. */
export async function notify(dir: string | undefined, options: { json?: boolean; test?: true | readonly string[] }): Promise<void> {
  const context = openContext(dir);
  const { files, layout, clock, events } = context;
  const hooks = (await readRules(context)).flatMap(({ name, hook }) => (hook === undefined ? [] : [{ name: name.slice(hookName('').length), hook }]));
  const asked = options.test === undefined ? [] : options.test === true ? hooks.map(({ name }) => name) : options.test;
  for (const name of asked) if (!hooks.some((one) => one.name === name)) throw new CliError(`no hook is called ${name}; ${hooks.length === 0 ? 'there are none: write them under hooks: in snakepit.yaml' : `known: ${hooks.map((one) => one.name).join(', ')}`}`, EXIT.notFound);
  const rows: Row[] = [];
  for (const { name, hook } of hooks) {
    if (options.test !== undefined && !asked.includes(name)) continue;
    let receipt: PingReceipt | undefined;
    if (options.test !== undefined) {
      const event: EventLine = { v: EVENT_VERSION, at: clock.wallMs(), kind: 'hook-tested', hook: name };
      await events.emit({ kind: 'hook-tested', hook: name });
      const target = hookTarget({ files, layout, env: process.env, tell: (text, bell) => new TmuxServer(layout.tmuxSocket, layout.tmuxConfig).tell(text, bell) }, hookName(name), hook);
      if (target.kind === 'ready') receipt = await target.say({ id: 'test', text: JSON.stringify(event), guarded: false }, hook.timeoutMs);
    }
    rows.push({ hook: name, does: describe(hook), receipt });
  }
  if (rows.some(({ receipt }) => receipt?.kind === 'refused')) process.exitCode = EXIT.failed;
  if (options.json === true) return printJson({ hooks: rows });
  if (rows.length === 0) return print('no hooks; write them under hooks: in snakepit.yaml (docs/hooks.md)');
  for (const { hook, does, receipt } of rows) print(`${hook}  ${does}${receipt === undefined ? '' : `\n  ${receipt.kind}: ${receipt.rule}${receipt.evidence === '' ? '' : `: ${receipt.evidence}`}`}`);
}

/** The address without what may be a secret in it. */
function describe(hook: Hook): string {
  switch (hook.kind) {
    case 'run':
      return `runs ${hook.argv.join(' ')}`;
    case 'post':
      return `posts to ${new URL(hook.url).origin} as ${hook.as}`;
    case 'desktop':
      return 'notifies on the desktop';
    case 'bell':
      return 'rings the bell of attached terminals';
    default:
      return unreachable(hook);
  }
}
