import { join } from 'node:path';
import { appendLine } from '../lib/append-line.js';
import type { Files } from '../lib/files.js';
import { monthOf } from '../lib/month.js';
import { tailLines } from '../lib/text.js';
import { PROGRAM_FILES } from '../agents/program.js';
import { parseJson, RUN_FILES } from '../protocol/records.js';
import type { Layout } from '../protocol/layout.js';

/** What only tells how an attempt went; what it made, and how it ended, is kept. */
export const LOGS: readonly string[] = [RUN_FILES.setup, RUN_FILES.output, RUN_FILES.stderr, PROGRAM_FILES.stream, PROGRAM_FILES.events, PROGRAM_FILES.export];

/** The home of a task's program, as a log among the others. */
export const HOME = 'home';

/** One log as it is remembered: where it was, how much of it, its last words. */
export interface DigestLine {
  readonly v: 1;
  readonly id: string;
  /** The name of its run directory; '' for the program's home, which is the task's. */
  readonly run: string;
  readonly log: string;
  readonly bytes: number;
  readonly lines: number;
  readonly tail: readonly string[];
  /** Wall clock, milliseconds, of its last growth. */
  readonly at: number;
}

const TAIL = 3;
const READ_BYTES = 64 * 1024;
const CHUNK = 1024 * 1024;

/** Undefined when the log is not there. */
export async function digestOf(files: Files, dir: string, id: string, run: string, log: string): Promise<DigestLine | undefined> {
  const path = join(dir, log);
  const entry = await files.inspect(path);
  if (entry?.kind !== 'file') return undefined;
  let lines = 0;
  for (let offset = 0; offset < entry.size; ) {
    const bytes = await files.readFrom(path, offset, CHUNK);
    if (bytes.length === 0) break;
    for (const byte of bytes) if (byte === 10) lines += 1;
    offset += bytes.length;
  }
  const tail = Buffer.from(await files.readFrom(path, Math.max(0, entry.size - READ_BYTES), READ_BYTES)).toString('utf8');
  return { v: 1, id, run, log, bytes: entry.size, lines, tail: tailLines(tail, TAIL).map((line) => line.slice(0, 200)), at: entry.mtimeMs };
}

const digestFile = (layout: Layout, atMs: number): string => join(layout.digests, `${monthOf(atMs)}.jsonl`);

/** Whether that very state of a log is in the digest: looked up on disk, not remembered. */
export async function isDigested(files: Files, layout: Layout, line: DigestLine): Promise<boolean> {
  const text = (await files.read(digestFile(layout, line.at), 256 * CHUNK)) ?? '';
  return text.split('\n').some((one) => {
    if (!one.includes(line.id)) return false;
    const known = parseJson<DigestLine>(one);
    return known?.id === line.id && known.run === line.run && known.log === line.log && known.bytes === line.bytes;
  });
}

/** One line in the running digest of the month. The caller holds the cleanup lock, so that no other writer comes between. */
export async function digest(files: Files, layout: Layout, line: DigestLine): Promise<void> {
  await files.makeDir(layout.digests);
  await appendLine(files, digestFile(layout, line.at), JSON.stringify(line));
}
