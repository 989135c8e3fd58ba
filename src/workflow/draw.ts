import { formatDuration } from '../lib/duration.js';
import type { LoopSpec, Node, StepSpec, Workflow } from '../protocol/workflow.js';
import { mostSessions } from './decide.js';

/** A workflow as a person reads it: steps and loops, who works them, with which rights and bounds. */
export function drawWorkflow({ name, title, nodes }: Workflow): string {
  const most = mostSessions(nodes);
  return [`${name}: ${title}`, ...draw(nodes, '  '), `  at most ${most} session${most === 1 ? '' : 's'} before a person is asked`].join('\n');
}

const draw = (nodes: readonly Node[], indent: string): string[] => nodes.flatMap((node) => (node.kind === 'await' ? [`${indent}until all tasks that it tossed are done`] : node.kind === 'step' ? [`${indent}${stepLine(node)}`] : [`${indent}${loopLine(node)}`, ...draw(node.nodes, `${indent}│ `)]));

function stepLine(step: StepSpec): string {
  const who = step.seats.map(({ agents, veto }) => `${agents.length === 0 ? "the task's agent" : agents.join(' or ')}${veto ? ' (veto)' : ''}`);
  const parts = [step.rights === 'read' ? 'may only read' : 'may write', who.length === 1 ? (who[0] ?? '') : `${who.length} sessions: ${who.join(', ')}`];
  if (step.verdict) parts.push(step.seats.length === 1 ? 'says PASS or REJECT' : `say PASS or REJECT, ${step.pass === 'all' ? 'all must pass' : step.pass === 'any' ? 'one pass is enough' : 'most must pass'}`);
  if (step.otherThanAuthor) parts.push("of another provider than the author's");
  if (step.rounds !== 'every') parts.push(step.rounds === 'first' ? 'in the first round' : 'in later rounds');
  if (step.hold === true) parts.push('what it tosses is held until a person lets it go');
  if (step.hands.length > 0) parts.push(`hands on ${step.hands.map(({ file }) => file).join(', ')}`);
  if (step.timeoutMs !== undefined) parts.push(`at most ${formatDuration(step.timeoutMs)}`);
  return `${step.id}: ${parts.join(' · ')}`;
}

function loopLine({ id, max, until, each }: LoopSpec): string {
  if (each !== undefined) return `┌ ${id}: once for each line of ${each.file} that matches ${each.line}, at most ${max}`;
  if (until === undefined) return `┌ ${id}: ${max} times`;
  const end = until.kind === 'verdict' ? `${until.steps.join(' and ')} pass${until.steps.length === 1 ? 'es' : ''}` : until.kind === 'command' ? `this succeeds: ${until.command}` : `a line of ${until.file} is ${until.line}`;
  return `┌ ${id}: until ${end}, at most ${max} rounds`;
}
