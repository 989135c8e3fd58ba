import { join } from 'node:path';
import type { LineFacts } from '../agents/lines.js';
import type { AgentProfile } from '../agents/profile.js';
import { PROGRAM_FILES } from '../agents/program.js';
import { readLines } from '../agents/read-lines.js';
import type { Files } from '../lib/files.js';

/** Of a print-mode stream; what lies behind is not read, and its run counts as one without an end. */
const STREAM_BYTES = 128 * 1024 * 1024;

/** What the lines of a print-mode run say; undefined for a program whose output is plain. */
export async function readStream(files: Files, profile: AgentProfile, dir: string, now: number): Promise<LineFacts | undefined> {
  if (profile.headless === undefined || profile.headless.output === 'text') return undefined;
  const bytes = await files.readBytes(join(dir, PROGRAM_FILES.stream), STREAM_BYTES);
  return readLines(profile.headless.rules, bytes ?? '', now);
}
