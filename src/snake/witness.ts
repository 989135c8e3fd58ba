import { join } from 'node:path';
import { classifyHeadless } from '../agents/headless.js';
import type { AgentProfile } from '../agents/profile.js';
import { PROGRAM_FILES } from '../agents/program.js';
import { RUN_FILES, type AgentRecord, type AttemptRecord, type ExitRecord, type StopReason } from '../protocol/records.js';
import { readAgent } from '../runs/run-dir.js';
import { readStream } from '../runs/stream.js';
import type { SnakePorts } from './ports.js';

const STDERR_BYTES = 256 * 1024;

const SILENT: AgentRecord['state'] = { kind: 'working', source: 'process', rule: 'it runs', evidence: 'a program that leaves no records' };
const SPEAKING: AgentRecord['state'] = { kind: 'working', source: 'event', rule: 'it runs', evidence: 'it has written its first event' };

/**
 * What the program of an attempt is in. While it runs, the pit's last word, or at least that it has begun; at the end of a
 * print-mode run its events, its status and its error output are read once, and kept. One that we ended because of what was
 * seen stays what it was seen to be.
 */
export async function observeAgent({ files }: SnakePorts, profile: AgentProfile | undefined, attempt: AttemptRecord, dir: string, end: { exit: ExitRecord | undefined; stop: StopReason | undefined }): Promise<AgentRecord | undefined> {
  const { exit, stop } = end;
  const known = await readAgent(files, dir);
  const headless = profile?.headless;
  if (profile === undefined || headless === undefined || attempt.mode === 'interactive' || stop !== undefined) return known;
  if (headless.output === 'text') return exit === undefined ? (known ?? { state: SILENT, since: attempt.startedAt }) : known;
  if (exit === undefined) return known ?? (((await files.inspect(join(dir, PROGRAM_FILES.stream)))?.size ?? 0) > 0 ? { state: SPEAKING, since: attempt.startedAt } : undefined);
  if (await files.exists(join(dir, RUN_FILES.agentEnd))) return known;
  const lines = await readStream(files, profile, dir, exit.endedAt);
  if (lines === undefined) return known;
  const stderr = Buffer.from((await files.readBytes(join(dir, RUN_FILES.stderr), STDERR_BYTES)) ?? []).toString('utf8');
  const state = classifyHeadless(profile, { output: headless.output, exit, lines, stderr, now: exit.endedAt });
  const session = lines.session ?? known?.session;
  const record: AgentRecord = { state, since: exit.endedAt, ...(lines.answer === undefined ? {} : { answer: lines.answer }), ...(session === undefined ? {} : { session }) };
  await files.write(join(dir, RUN_FILES.agentEnd), `${JSON.stringify(record)}\n`);
  return record;
}
