import { formatDuration } from '../lib/duration.js';
import { unreachable } from '../lib/unreachable.js';
import type { Config } from '../config/config.js';
import type { Sighting } from '../recurring/observe.js';
import { applyRecurring } from '../recurring/apply.js';
import { considerTemplate } from '../recurring/look.js';
import { readRecord } from '../recurring/records.js';
import type { RecurringAction, RecurringRecord } from '../recurring/state.js';
import { specialistSightings } from '../specialists/sightings.js';
import type { Context } from './context.js';

/** What a cleanup says of one agent specialist: it is staged where it is due. */
export interface AgentStep {
  readonly specialist: string;
  readonly kind: 'act' | 'keep' | 'refuse';
  readonly verb: string;
  readonly subject: string;
  readonly rule: string;
  readonly evidence: string;
}

interface AgentApplied {
  readonly specialist: string;
  readonly subject: string;
  readonly kind: 'done' | 'gone' | 'refused';
  readonly told: string;
}

/** The decision that the pit would take now for each agent of `specialists:`. Changes nothing. */
export async function planAgents(context: Context, config: Config, wanted: (name: string) => boolean): Promise<AgentStep[]> {
  const { files, layout, clock } = context;
  const steps: AgentStep[] = [];
  for (const sighting of await specialistSightings(context, layout, config)) {
    const name = nameOf(sighting);
    if (!wanted(name)) continue;
    const record = await readRecord(files, layout, name);
    const step = (kind: AgentStep['kind'], verb: string, rule: string, evidence: string): number => steps.push({ specialist: name, kind, verb, subject: name, rule, evidence });
    if (sighting.kind === 'refused') step('refuse', 'refuse', 'its settings cannot be used', sighting.fault.problem);
    else {
      const action = await considerTemplate(files, layout, sighting.template, record, clock.wallMs());
      step(action.kind === 'make' || action.kind === 'finish' || action.kind === 'record' ? 'act' : 'keep', VERBS[action.kind], action.rule, evidenceOf(action, record, clock.wallMs()));
    }
  }
  return steps;
}

const VERBS: Readonly<Record<RecurringAction['kind'], string>> = { none: 'keep', skip: 'keep', record: 'note', make: 'stage', finish: 'stage' };

const nameOf = (sighting: Sighting): string => (sighting.kind === 'good' ? sighting.template.name : sighting.name);

function evidenceOf(action: RecurringAction, record: RecurringRecord | undefined, nowMs: number): string {
  const at = (dueAt: number): string => `due ${new Date(dueAt).toISOString()}`;
  switch (action.kind) {
    case 'none':
      return record === undefined ? 'it is not known yet' : record.nextDueAt > nowMs ? `next in ${formatDuration(record.nextDueAt - nowMs)}, ${at(record.nextDueAt)}` : at(record.nextDueAt);
    case 'skip':
      return action.evidence;
    case 'record':
      return at(action.record.nextDueAt);
    case 'make':
    case 'finish':
      return `${action.instance.id}, ${at(action.instance.dueAt)}`;
    default:
      return unreachable(action);
  }
}

/** Decides anew, since the other specialists have worked meanwhile, and does it; a pit that was faster is the protocol working. */
export async function applyAgents(context: Context, config: Config, steps: readonly AgentStep[]): Promise<AgentApplied[]> {
  const { files, layout, clock } = context;
  const applied: AgentApplied[] = [];
  for (const sighting of steps.length === 0 ? [] : await specialistSightings(context, layout, config)) {
    const name = nameOf(sighting);
    if (sighting.kind !== 'good' || !steps.some(({ specialist }) => specialist === name)) continue;
    const record = await readRecord(files, layout, name);
    const action = await considerTemplate(files, layout, sighting.template, record, clock.wallMs());
    const done = await applyRecurring(context, layout, sighting.template, record, action, config.maxTaskBytes);
    const say = (kind: AgentApplied['kind'], told: string): number => applied.push({ specialist: name, subject: name, kind, told });
    if (done.kind === 'made') say('done', `${done.id} is in line`);
    else if (done.kind === 'not-made') say('refused', done.why);
    else if (done.kind === 'busy') say('gone', 'somebody else is at it');
    else if (action.kind === 'record') say('gone', `noted: ${evidenceOf(action, record, clock.wallMs())}`);
  }
  return applied;
}
