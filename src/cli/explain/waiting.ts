import { basename, join } from 'node:path';
import { parseWaiting } from '../../protocol/names.js';
import { childrenOf } from '../../queue/children.js';
import { explainWaiting } from '../../queue/promote.js';
import type { Located } from '../../queue/locate.js';
import { pastAttempts } from '../../runs/run-dir.js';
import { describeDecision, isDecision } from '../../runs/decision.js';
import { childrenLine } from '../../runs/step-words.js';
import { nextStep } from '../../runs/next-step.js';
import { describeOutcome, whyOf } from '../../runs/story.js';
import { unreachable } from '../../lib/unreachable.js';
import type { Context } from '../context.js';
import { coolingWhy } from '../cooling.js';
import { whyNothingIsClaimed } from '../hindrance.js';
import { setupWhy } from '../setup-why.js';
import { brokenWorkflow } from '../workflow-why.js';
import { stateWord } from '../state-word.js';
import { decisionsOn } from './decisions.js';
import type { Explanation, Fact } from './explanation.js';
import { turnWhy } from './turn.js';

type Standing = Pick<Explanation, 'rule' | 'since' | 'next'>;

/** A task that nobody works on: why it stands where it stands. */
export async function explainStanding(context: Context, task: Located): Promise<Explanation> {
  const { files, layout } = context;
  const past = await pastAttempts(files, layout, task.id);
  const evidence: Fact[] = past.slice(-3).map(({ record }) => (isDecision(record) ? { witness: 'by hand', says: describeDecision(record), at: record.endedAt } : { witness: `attempt ${record.attempt}`, says: `${record.agent}: ${describeOutcome(record.outcome)}`, at: record.endedAt }));
  const children = childrenLine(await childrenOf(files, layout, task.id));
  if (children !== '') evidence.push({ witness: 'what it tossed', says: children });
  const broken = task.state === 'done' ? undefined : await brokenWorkflow(context, task);
  if (broken !== undefined) evidence.unshift({ witness: 'its workflow', says: `cannot be read now: ${broken.fault}` });
  const stands = await standing(context, task);
  const next = broken === undefined ? stands.next : [{ what: `${broken.mend}; ${task.state === 'failed' ? `then: snakepit retry ${task.id}` : 'until then its next attempt fails of it as soon as it begins'}` }, ...(task.state === 'failed' ? [] : stands.next)];
  return { name: task.id, state: stateWord(task.state), ...stands, next, evidence, decided: await decisionsOn(context, { id: task.id }) };
}

async function standing(context: Context, task: Located): Promise<Standing> {
  const { files, layout, clock } = context;
  const since = await files.mtimeMs(task.file);
  switch (task.state) {
    case 'ready': {
      const hindered = await whyNothingIsClaimed(context);
      const ahead = (await files.list(layout.dir('ready'))).filter((name) => name < basename(task.file)).length;
      return { rule: hindered ?? (ahead === 0 ? 'it is the next to be claimed; all snakes are busy' : `${ahead} stand before it`), since, next: hindered === undefined ? [{ what: 'the next free snake claims the first in line' }] : [] };
    }
    case 'waiting': {
      const verdict = (await explainWaiting(files, layout, clock.wallMs())).get(task.id);
      const due = parseWaiting(basename(task.file))?.dueAt;
      return { rule: (await coolingWhy(context, task)) ?? (await turnWhy(context, task)) ?? (await setupWhy(context, task)) ?? (verdict?.kind === 'ready' ? 'it may go on: the pit lets it go at its next look' : verdict?.why) ?? 'its file was not understood', since, next: due === undefined || due <= clock.wallMs() ? [] : [{ what: 'it stands in line again', at: due }] };
    }
    case 'held':
      return { rule: 'a person holds it', since, next: [{ what: `snakepit release ${task.id}` }] };
    case 'claimed':
    case 'reaping':
      return { rule: 'its worker is dead; what that left behind is being ended', since, next: [{ what: 'it goes back in line, or where its attempt had got to' }] };
    case 'stuck':
      return { rule: 'processes of its last attempt could not be shown gone; nothing may start in their place', since, next: [{ what: `end them, then: snakepit retry ${task.id}` }] };
    case 'needs':
      return { rule: 'it waits for a person', since, next: [{ what: `what it asks: snakepit show ${task.id}; then: snakepit answer ${task.id} TEXT` }] };
    case 'done':
    case 'failed':
      return { rule: `it has ended; its story: snakepit show ${task.id}`, since, next: task.state === 'done' ? [] : await adviceOf(context, task.id) };
    default:
      return unreachable(task.state);
  }
}

/** What its story says that a person can do; nothing where that is not known. */
async function adviceOf({ files, layout }: Context, id: string): Promise<Explanation['next']> {
  const last = (await pastAttempts(files, layout, id)).at(-1)?.record;
  const untried = last?.next.kind === 'failed' ? undefined : whyOf((await files.read(join(layout.dir('failed'), `${id}.result.md`), 64 * 1024)) ?? '');
  return last === undefined && untried === undefined ? [] : [{ what: nextStep(id, last?.outcome, untried) }];
}
