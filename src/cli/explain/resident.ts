import type { Config } from '../../config/config.js';
import { unreachable } from '../../lib/unreachable.js';
import type { FoundResident } from '../../residents/find.js';
import type { Phase, ResidentRecord } from '../../residents/state.js';
import { livePit, type Context } from '../context.js';
import { decisionsOn } from './decisions.js';
import type { Explanation } from './explanation.js';
import { explainSession } from './session.js';

/** A resident: its session's witnesses, when it is woken next, and how much of its budget of restarts is used. */
export async function explainResident(context: Context, config: Config, { record, run }: FoundResident): Promise<Explanation> {
  const { name, kind, phase, healing, cadence } = record;
  const pit = await livePit(context);
  const session = run === undefined ? undefined : await explainSession(context, config, run.dir);
  const said = session?.watch?.said;
  const [rule, since] = pit === undefined ? ['no pit is running: nobody keeps it alive or wakes it; start one with: snakepit up', undefined] : said !== undefined && phase.kind === 'up' ? [said.rule, said.at] : [ruleOf(record), undefined];
  const restarts = healing.restarts.length;
  return {
    name,
    state: `${kind} resident, ${phase.kind}`,
    rule,
    since,
    evidence: [...(session?.evidence ?? []), ...(restarts === 0 ? [] : [{ witness: 'restarts', says: `${restarts} of ${config.heal.restarts} within its window`, at: healing.restarts.at(-1) }])],
    decided: await decisionsOn(context, { id: name }),
    next: pit === undefined ? [] : [...(session?.next ?? []), ...startOf(phase), ...(cadence === undefined ? [] : [{ what: kind === 'headless' ? 'its next run' : 'its next wake', at: cadence.dueAt }])],
  };
}

function ruleOf({ phase, kind }: ResidentRecord): string {
  switch (phase.kind) {
    case 'down':
      return kind === 'headless' ? 'it rests until its next run is due' : 'it is not up';
    case 'launching':
      return 'it was launched, and has not reported yet';
    case 'up':
      return kind === 'service' ? 'its command runs' : 'nothing had to be decided yet';
    case 'ending':
      return `it is being ended: ${phase.rule}`;
    case 'backing-off':
    case 'broken':
      return phase.why;
    default:
      return unreachable(phase);
  }
}

const startOf = (phase: Phase): Explanation['next'] => (phase.kind === 'backing-off' ? [{ what: 'it is started again', at: phase.until }] : phase.kind === 'broken' ? [{ what: 'after a pause one try; or say snakepit up' }] : []);
