import { join } from 'node:path';
import { asFileRef } from '../agents/deliver/text.js';
import type { Receipt } from '../agents/deliver/state.js';
import { promptText } from '../agents/prompts.js';
import { afterTyping, beginCadence, decideCadence, type Cadence, type Fitness } from '../lib/cadence.js';
import { parseJson, RUN_FILES } from '../protocol/records.js';
import { ABSORB_MS, type Climber, type LadderPorts } from './ladder.js';
import { speakTo, type Listener, type SpeakPorts } from './speak.js';
import type { WatchLook } from './state.js';

/** How long one try waits for a pane that is not fit: the next look tries again. */
const PATIENCE_MS = 3000;
/** Between two tries of a wake that was refused: a person may be typing for minutes. */
export const WAKE_RETRY_MS = 5000;

/** Types a wake into a session whose turn is over, a long one through a file. Never while it works. */
export async function sayWake(ports: SpeakPorts, listener: Listener, text: string): Promise<Receipt> {
  const path = join(listener.runDir, 'wake.md');
  const typed = asFileRef(text, path);
  if (typed.file !== undefined) await ports.files.write(path, typed.file);
  return speakTo(ports, listener, typed.line, { patienceMs: PATIENCE_MS, afterTurn: true });
}

/** The cadence that a task asked for: one step at each look, silent once it has said how it ended, or is being ended. */
export async function wakeTask(ports: LadderPorts, one: Climber, look: WatchLook): Promise<void> {
  const { wakeMs } = one.attempt;
  if (wakeMs === undefined || one.listener === undefined || one.speaking || look.kind !== 'seen' || look.result || one.watch.verdict !== undefined) return;
  const file = join(one.dir, RUN_FILES.wake);
  const text = await ports.files.read(file);
  const before = parseJson<Cadence>(text) ?? beginCadence(wakeMs, one.attempt.startedAt);
  const { cadence, step } = decideCadence({ everyMs: wakeMs, retryMs: Math.min(WAKE_RETRY_MS, wakeMs) }, before, fitness(look, ports.clock.wallMs()), ports.clock.wallMs());
  const next = `${JSON.stringify(cadence)}\n`;
  if (next !== text) await ports.files.write(file, next);
  if (step.kind === 'lost') await ports.events.emit({ kind: 'task-woken', id: one.id, marker: one.marker, receipt: 'unconfirmed', rule: step.rule, evidence: '' });
  if (step.kind === 'wake') void say(ports, one, one.listener, file, cadence, before.wake === 'owed');
}

function fitness({ agent, coolsUntil, waitsUntil }: Extract<WatchLook, { kind: 'seen' }>, nowMs: number): Fitness {
  if (coolsUntil !== undefined && nowMs < coolsUntil) return { fit: false, why: 'its account is at a limit' };
  if (waitsUntil !== undefined && nowMs < waitsUntil) return { fit: false, why: 'it waits, as it said' };
  return agent.kind === 'idle' || agent.kind === 'finished' ? { fit: true } : { fit: false, why: `it is ${agent.kind}: it is woken when its turn is over` };
}

/** Takes seconds, and the tick does not wait for it. A refusal is told once, however often it is tried again. */
async function say(ports: LadderPorts, one: Climber, listener: Listener, file: string, cadence: Cadence, again: boolean): Promise<void> {
  one.speaking = true;
  try {
    const receipt = await sayWake(ports, listener, promptText('wake').trim());
    const refused = receipt.kind === 'refused';
    await ports.files.write(file, `${JSON.stringify(afterTyping(cadence, refused))}\n`);
    if (!refused || !again) await ports.events.emit({ kind: 'task-woken', id: one.id, marker: one.marker, receipt: receipt.kind, rule: receipt.rule, evidence: receipt.evidence });
  } catch {
    // Its run directory has gone: so has the session.
  } finally {
    one.speaking = false;
    one.absorbUntil = ports.clock.wallMs() + ABSORB_MS;
  }
}
