import { join } from 'node:path';
import { transcriptFiles } from '../agents/glob.js';
import { deliver } from '../agents/deliver/deliver.js';
import { paneLock } from '../agents/deliver/lock.js';
import { linesProof, type RecordSource } from '../agents/deliver/records.js';
import type { Receipt } from '../agents/deliver/state.js';
import { targetOf, type DeliveryWish } from '../agents/deliver/target.js';
import type { AgentProfile } from '../agents/profile.js';
import { PROGRAM_FILES } from '../agents/program.js';
import { classifyScreen } from '../agents/screen.js';
import type { Clock } from '../lib/clock.js';
import type { Files } from '../lib/files.js';
import type { Processes } from '../lib/processes.js';
import { RUN_FILES, type AttemptRecord } from '../protocol/records.js';
import type { Tmux } from '../tmux/server.js';

/** A session of this age may still be painting its first screen. */
const FRESH_MS = 30_000;

export interface SpeakPorts {
  readonly files: Files;
  readonly processes: Processes;
  readonly clock: Clock;
  readonly tmux: Pick<Tmux, 'pane'>;
}

/** A full-screen session that may be spoken to. Its name holds the claim's nonce: no other attempt can be hit. */
export interface Listener {
  readonly session: string;
  readonly runDir: string;
  readonly attempt: AttemptRecord;
  readonly profile: AgentProfile;
  readonly interactive: NonNullable<AgentProfile['interactive']>;
}

/** Types one line into a session and says what became of it. */
export async function speakTo({ files, processes, clock, tmux }: SpeakPorts, to: Listener, line: string, wish: Omit<DeliveryWish, 'fresh'>): Promise<Receipt> {
  const over = await ending(files, to.runDir);
  if (over !== undefined) return { kind: 'refused', reason: 'ended', rule: over, evidence: '' };
  return deliver(
    {
      clock,
      pane: tmux.pane(to.session),
      look: (capture) => classifyScreen(to.interactive.screen, to.interactive.dialogs, { ...capture, nowMs: clock.wallMs() }),
      proof: linesProof(files, clock, sourcesOf(files, to)),
      lock: paneLock(files, processes, join(to.runDir, RUN_FILES.typing)),
    },
    targetOf(to.interactive, { ...wish, fresh: clock.wallMs() - to.attempt.startedAt < FRESH_MS }),
    line,
  );
}

/** A session that has said how it ended, or is being ended, would take the text with it. */
async function ending(files: Files, runDir: string): Promise<string | undefined> {
  const there = (file: string): Promise<boolean> => files.exists(join(runDir, file));
  if ((await there(RUN_FILES.stop)) || (await there(RUN_FILES.exit))) return 'it is being ended';
  if (await there(RUN_FILES.cancel)) return 'it is cancelled';
  return (await there(RUN_FILES.result)) ? 'it has said how it ended' : undefined;
}

/** Where the program writes down what it was asked: its hooks' events, its transcript. */
function sourcesOf(files: Files, { profile, attempt, runDir }: Listener): RecordSource[] {
  const { hooks, transcript } = profile;
  return [
    ...(hooks === undefined ? [] : [{ source: 'event' as const, rules: hooks.rules, files: async () => [join(runDir, PROGRAM_FILES.events)] }]),
    ...(transcript?.kind === 'jsonl' ? [{ source: 'transcript' as const, rules: transcript.rules, files: () => transcriptFiles(files, attempt.home, transcript.glob, attempt.session) }] : []),
  ];
}
