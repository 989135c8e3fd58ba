import { formatDuration } from '../lib/duration.js';
import { show } from '../lib/text.js';
import { unreachable } from '../lib/unreachable.js';
import type { Children, FlowEvent, FlowNext, FlowRecord, Verdict } from '../protocol/workflow.js';
import { endsIn } from './steps.js';

/**
 * What happened in a workflow during one attempt, a line each: sessions with end and verdict, checks of loops, what came back, what a
 * person said. `used`: what each session has used, by its run.
 */
export function describeSteps(flow: FlowRecord, base: string, used: ReadonlyMap<string, string> = new Map()): string[] {
  const own = new Set<FlowEvent>(endsIn(flow, base));
  const first = flow.events.findIndex((event) => own.has(event));
  const ours = first < 0 ? [] : flow.events.slice(first);
  return ours.map((event) => {
    const use = event.kind === 'step-ended' ? used.get(event.run) : undefined;
    return `${describeEvent(event)}${use === undefined ? '' : `; tokens: ${use}`}`;
  });
}

/** One event in words. */
export function describeEvent(event: FlowEvent): string {
  switch (event.kind) {
    case 'step-ended': {
      const end = event.broke ?? (event.verdict === undefined ? 'done' : verdictWords(event.verdict));
      return `${event.step}${event.seat > 0 ? ` ${event.seat + 1}` : ''}, round ${event.round} (${show(event.agent)}, ${formatDuration(Math.max(0, event.endedAt - event.startedAt))}): ${show(end, 300)}${event.message === '' ? '' : `; it says: ${show(event.message, 200)}`}`;
    }
    case 'checked':
      return `${event.loop}, round ${event.round}: ${event.held ? 'over' : 'not over'} (${show(event.evidence, 200)})`;
    case 'counted':
      return `${event.loop}: ${event.items} items`;
    case 'awaited':
      return `its children: ${event.done} done${event.failed.length === 0 ? '' : `, failed: ${event.failed.join(', ')}`}`;
    case 'sent-back':
      return `sent back: ${show(event.why, 200)}`;
    case 'ruled':
      return event.ruling.kind === 'more' ? `a person gave ${event.ruling.rounds} more` : event.ruling.kind === 'accept' ? 'a person accepted it' : 'a person rejected it';
    default:
      return unreachable(event);
  }
}

function verdictWords(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'pass':
      return 'PASS';
    case 'reject':
      return 'REJECT';
    case 'none':
      return `no verdict: ${verdict.why}`;
    default:
      return unreachable(verdict);
  }
}

/** How the tasks that one has tossed stand. */
export const childrenLine = ({ done, failed, open }: Children): string => [['done', done] as const, ['failed', failed] as const, ['on their way', open] as const].flatMap(([word, ids]) => (ids.length === 0 ? [] : [`${ids.length} ${word} (${ids.slice(0, 10).join(', ')}${ids.length > 10 ? ', …' : ''})`])).join(', ');

/** Where a workflow stands, in words. */
export const standing = (next: FlowNext): string => (next.kind === 'step' ? `at ${next.step}${next.seat > 0 ? ` ${next.seat + 1}` : ''}, ${next.of > 1 ? `round ${next.round} of at most ${next.of}` : 'once'}${next.item === undefined ? '' : `, item ${next.item}`}` : `${next.kind}: ${next.rule}`);
