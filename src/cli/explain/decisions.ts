import type { EventLine } from '../../events/event.js';
import type { Context } from '../context.js';
import { readEvents } from '../events.js';
import type { Fact } from './explanation.js';

const SHOWN = 5;

/** The last decisions of the log about a task, or about one attempt of it: every line that carries a rule or a reason. */
export function decisionsOn({ layout }: Context, about: { readonly id: string; readonly marker?: string }): Fact[] {
  const concerns = (event: EventLine): boolean => 'id' in event && event.id === about.id && (about.marker === undefined || !('marker' in event) || event.marker === about.marker);
  return readEvents(layout).filter(concerns).flatMap((event) => {
    const says = sayingOf(event);
    return says === '' ? [] : [{ witness: event.kind, says, at: event.at }];
  }).slice(-SHOWN);
}

/** In the words of the event: what was decided, the rule, the evidence. */
function sayingOf(event: EventLine): string {
  const told = event as unknown as Readonly<Record<string, unknown>>;
  const words = ['state', 'what', 'reason', 'receipt', 'rule', 'why', 'evidence'].flatMap((key) => (typeof told[key] === 'string' && told[key] !== '' ? [told[key]] : []));
  return words.join('; ');
}
