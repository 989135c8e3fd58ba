import type { EventLine } from '../../events/event.js';
import type { Context } from '../context.js';
import { readEvents } from '../events.js';
import type { Fact } from './explanation.js';

const SHOWN = 5;

/** The last decisions of the log about a task, about one attempt of it (which began at `since`), or about a resident: every line that carries a rule or a reason. */
export async function decisionsOn(context: Context, about: { readonly id: string; readonly marker?: string; readonly since?: number | undefined }): Promise<Fact[]> {
  const named = (event: EventLine): boolean => ('id' in event && event.id === about.id) || ('resident' in event && event.resident === about.id);
  const concerns = (event: EventLine): boolean => named(event) && (about.marker === undefined || !('marker' in event) || event.marker === about.marker);
  return (await readEvents(context, { holding: JSON.stringify(about.id), since: about.since ?? 0 })).filter(concerns).flatMap((event) => {
    const says = sayingOf(event);
    return says === '' ? [] : [{ witness: event.kind, says, at: event.at }];
  }).slice(-SHOWN);
}

/** In the words of the event: what was decided, the rule, the evidence; '' for one that decides nothing. */
function sayingOf(event: EventLine): string {
  const told = event as unknown as Readonly<Record<string, unknown>>;
  if (!['rule', 'why', 'reason'].some((key) => typeof told[key] === 'string')) return '';
  const words = ['state', 'what', 'reason', 'receipt', 'rule', 'why', 'evidence'].flatMap((key) => (typeof told[key] === 'string' && told[key] !== '' ? [told[key]] : []));
  return words.join('; ');
}
