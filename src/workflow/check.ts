import type { Node } from '../protocol/workflow.js';
import { mostSessions } from './decide.js';

/** Loops within loops within loops are the deepest that anybody can follow. */
const DEPTH = 3;
/** More sessions than this are no workflow but a bill. */
const SESSIONS = 2000;

/** What a schema cannot say: names, and what a loop ends by. Undefined: nothing is wrong. */
export function faultIn(nodes: readonly Node[]): { readonly id: string; readonly problem: string } | undefined {
  const seen = new Set<string>();
  const visit = (inside: readonly Node[], depth: number): { id: string; problem: string } | undefined => {
    for (const node of inside) {
      const wrong = (problem: string): { id: string; problem: string } => ({ id: node.id, problem });
      if (seen.has(node.id)) return wrong(`${node.id} is there twice; each step and loop has a name of its own`);
      seen.add(node.id);
      if (node.kind === 'await') {
        if (depth > 0) return wrong('children are waited for outside of loops');
        continue;
      }
      if (node.kind === 'step') {
        if (depth === 0 && node.rounds !== 'every') return wrong('rounds: has no meaning outside of a loop');
        if (node.seats.length > 1 && !node.verdict) return wrong('several seats have a meaning only where each gives a verdict: add verdict: true');
        continue;
      }
      if (depth >= DEPTH) return wrong(`it is the ${DEPTH + 1}th loop around itself; at most ${DEPTH}`);
      const fault = visit(node.nodes, depth + 1);
      if (fault !== undefined) return fault;
      if (node.nodes.length === 0) return wrong('nothing is left in it with these options');
      const { until } = node;
      if (until !== undefined && node.each !== undefined) return wrong('has each: and until:; it goes once for each item, and a loop inside of it may end by a verdict');
      for (const id of until?.kind === 'verdict' ? until.steps : []) {
        const step = node.nodes.find((one) => one.id === id);
        if (step?.kind !== 'step' || !step.verdict) return wrong(`until: names ${id}, which is no step of this loop with verdict: true`);
      }
    }
    return undefined;
  };
  const [first] = nodes;
  if (first === undefined) return { id: '', problem: 'nothing is left of its steps with these options' };
  const fault = visit(nodes, 0);
  if (fault !== undefined) return fault;
  return mostSessions(nodes) > SESSIONS ? { id: first.id, problem: `it can come to ${mostSessions(nodes)} sessions; at most ${SESSIONS}: make max: smaller` } : undefined;
}
