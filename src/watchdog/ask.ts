import { join } from 'node:path';
import { choose } from '../agents/dialog/choose.js';
import { paneLock } from '../agents/deliver/lock.js';
import type { SafeAnswer } from '../agents/dialog/rows.js';
import type { ChooseTrouble } from '../agents/dialog/state.js';
import { tailRows } from '../agents/regions.js';
import { classifyScreen, type ScreenState } from '../agents/screen.js';
import type { Files } from '../lib/files.js';
import { unreachable } from '../lib/unreachable.js';
import type { AgentState } from '../protocol/agent-state.js';
import { parseJson, RUN_FILES, type AskRecord } from '../protocol/records.js';
import { afterChoice, decideAsk } from './asking.js';
import { ABSORB_MS, type Climber, type LadderPorts } from './ladder.js';
import type { Listener } from './speak.js';

/** Of the screen, as it is kept for a person. */
const SCREEN_CHARS = 4000;

/** What is known of a session's questions; lost with the pit, and found again from its file. */
export interface AskMemory {
  record: AskRecord | undefined;
  /** Nothing is pressed before (wall clock, milliseconds), after a try that was refused for this reason. */
  refused?: { readonly reason: ChooseTrouble; readonly until: number } | undefined;
}

/** From a try that was refused to the next. */
const AGAIN_MS = 2000;

export const readAsk = async (files: Files, dir: string): Promise<AskRecord | undefined> => parseJson<AskRecord>(await files.read(join(dir, RUN_FILES.ask)));

/**
 * One agreed look at what a session asks. What was decided lies on disk before it is done: a pit that is killed in between has pressed
 * at most once more than is counted, and never more often than twice. Before the state is written: its snake acts on that.
 */
export async function attend(ports: LadderPorts, one: Climber, memory: AskMemory, state: AgentState, screen: ScreenState | undefined, text: string | undefined): Promise<void> {
  const { files, clock, events } = ports;
  if (one.speaking || one.attempt.mode === 'headless' || clock.wallMs() < (memory.refused?.until ?? 0)) return;
  const { listener } = one;
  const dialog = listener?.interactive.dialogs.find(({ id }) => id === screen?.dialog);
  const look = { state, screen: tailRows(text ?? '').join('\n').slice(-SCREEN_CHARS), policy: one.attempt.ask ?? 'fail', dialog: dialog === undefined ? undefined : { id: dialog.id, label: dialog.answer?.label } } as const;
  const { record, action } = decideAsk(memory.record, look, clock.wallMs());
  if (record !== memory.record) await keep(files, one, memory, record);
  switch (action.kind) {
    case 'none':
      return;
    case 'tell':
      return events.emit({ kind: 'asked', id: one.id, marker: one.marker, state: state.kind, rule: state.rule, evidence: state.evidence });
    case 'leave':
      return events.emit({ kind: 'left-to-person', id: one.id, marker: one.marker, rule: action.rule, evidence: action.evidence });
    case 'choose':
      if (listener !== undefined && dialog?.answer !== undefined) void press(ports, one, listener, memory, action.dialog, dialog.answer);
      return;
    default:
      return unreachable(action);
  }
}

async function keep(files: Files, one: Climber, memory: AskMemory, record: AskRecord | undefined): Promise<void> {
  memory.record = record;
  await files.write(join(one.dir, RUN_FILES.ask), `${JSON.stringify(record)}\n`);
}

/** Takes seconds, and the tick does not wait for it. */
async function press(ports: LadderPorts, one: Climber, listener: Listener, memory: AskMemory, id: string, answer: SafeAnswer): Promise<void> {
  const { files, processes, clock, tmux, events } = ports;
  const { screen, dialogs } = listener.interactive;
  one.speaking = true;
  try {
    const receipt = await choose(
      { clock, pane: tmux.pane(listener.session), dialogOn: (capture) => classifyScreen(screen, dialogs, { ...capture, nowMs: clock.wallMs() }).dialog, lock: paneLock(files, processes, join(one.dir, RUN_FILES.typing)) },
      id,
      answer,
    );
    const repeated = receipt.kind === 'refused' && receipt.reason === memory.refused?.reason;
    memory.refused = receipt.kind === 'refused' ? { reason: receipt.reason, until: clock.wallMs() + AGAIN_MS } : undefined;
    const after = memory.record === undefined ? undefined : afterChoice(memory.record, receipt, clock.wallMs());
    await keep(files, one, memory, after);
    if (after?.left !== undefined) await events.emit({ kind: 'left-to-person', id: one.id, marker: one.marker, ...after.left });
    if (!repeated) await events.emit({ kind: 'allowed', id: one.id, marker: one.marker, dialog: id, label: answer.label, result: receipt.kind, rule: receipt.rule, evidence: receipt.evidence });
  } catch {
    // Its run directory has gone: so has the session.
  } finally {
    one.speaking = false;
    one.absorbUntil = clock.wallMs() + ABSORB_MS;
  }
}
