import { show } from '../../lib/text.js';
import { unreachable } from '../../lib/unreachable.js';
import { captured } from '../context.js';
import { exitOf } from '../exit.js';
import type { Action, Ui } from './state.js';

/** Actions that need the whole terminal: top steps aside for them. */
export type Aside = Extract<Action, { kind: 'attach' | 'view' }>;
/** Actions that a command does while top goes on. */
export type Done = Exclude<Action, { kind: 'none' | 'quit' | 'suspend' | 'redraw' | 'mouse' } | Aside>;

/** What takes as long as the checks of a merged tree do: it goes on beside all others. */
export const takesLong = ({ kind }: Action): boolean => kind === 'merge' || kind === 'reject';

/** Does it with the function of the command of the same name, and tells in one line what that printed, or why it refused. */
export async function perform(dir: string, action: Done): Promise<NonNullable<Ui['notice']>> {
  try {
    const said = (await captured(() => command(dir, action))).trim().split('\n');
    return { text: show(said.at(-1) ?? '', 300), tone: 'good' };
  } catch (cause) {
    return { text: show(exitOf(cause).line, 300), tone: 'bad' };
  }
}

async function command(dir: string, action: Done): Promise<void> {
  switch (action.kind) {
    case 'nudge':
      return (await import('../commands/nudge.js')).nudge(dir, action.name, [action.text], {});
    case 'ping':
      return (await import('../commands/ping.js')).ping(dir, [...action.names, action.text], 1, {});
    case 'answer':
      return (await import('../commands/answer.js')).answer(dir, action.id, action.text === '' ? [] : [action.text], {});
    case 'merge':
      return (await import('../commands/merge.js')).merge(dir, action.id, {});
    case 'reject':
      return (await import('../commands/reject.js')).reject(dir, action.id, action.text === '' ? [] : [action.text], {});
    case 'cancel':
    case 'retry':
    case 'rerun':
    case 'hold':
    case 'release':
      return (await import('../commands/moves.js'))[action.kind](dir, [action.id]);
    case 'pause':
    case 'resume':
      return (await import('../commands/pause.js'))[action.kind](dir);
    case 'scale':
      return (await import('../commands/up.js')).up(dir, action.to === undefined ? {} : { snakes: action.to });
    default:
      return unreachable(action);
  }
}
