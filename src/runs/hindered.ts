import * as fs from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../lib/clock.js';
import type { Files, PathError } from '../lib/files.js';
import type { ProcessIdentity, Processes } from '../lib/processes.js';
import type { Layout } from '../protocol/layout.js';
import { parseJson } from '../protocol/records.js';
import { remedyOf } from '../protocol/remedies.js';

/** A living pit or snake that waits for the machine: a disk that is full, a right that was taken away. */
export interface Hindered {
  /** "pit", or the snake's name. */
  readonly who: string;
  /** Wall clock, milliseconds. */
  readonly since: number;
  /** What failed, at which path, and what a person can do. */
  readonly why: string;
}

interface HinderedRecord {
  readonly v: 1;
  readonly by: ProcessIdentity;
  readonly since: number;
  readonly why: string;
}

/** A block of any disk holds it. */
const BYTES = 2048;
const WHY_CHARS = 600;

/** What failed, and what to do about it. */
export function hinderedWords(cause: PathError): string {
  const remedy = remedyOf(cause.code);
  return remedy === undefined ? cause.message : `${cause.message}; ${remedy}`;
}

/**
 * Says what hinders one process. Its file is opened and filled with blanks at the start, and written in its place: a process that finds no
 * descriptor, no room and no right can say so still. So a reader may see half a record, and takes it for none; where it cannot be opened at
 * the start nothing is said here, and nothing else is changed.
 */
export class HindranceTeller {
  private readonly path: string;
  private readonly fd: number | undefined;
  private said: string | undefined;
  private since = 0;
  private readonly by: ProcessIdentity;
  private readonly clock: Pick<Clock, 'wallMs'>;

  constructor(layout: Layout, who: string, by: ProcessIdentity, clock: Pick<Clock, 'wallMs'>) {
    this.by = by;
    this.clock = clock;
    this.path = join(layout.hindered, `${who}.json`);
    this.fd = attempt(() => fs.openSync(this.path, fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK, 0o600));
    this.write('');
  }

  /** Again and again the same is one hindrance, since its first time. */
  tell(cause: PathError): void {
    const why = hinderedWords(cause).slice(0, WHY_CHARS);
    if (this.said === undefined) this.since = this.clock.wallMs();
    if (this.said === why) return;
    this.said = why;
    this.write(JSON.stringify({ v: 1, by: this.by, since: this.since, why } satisfies HinderedRecord));
  }

  /** It goes on. */
  passed(): void {
    if (this.said === undefined) return;
    this.said = undefined;
    this.write('');
  }

  /** The process ends as it should. */
  close(): void {
    if (this.fd !== undefined) attempt(() => fs.closeSync(this.fd as number));
    attempt(() => fs.rmSync(this.path, { force: true }));
  }

  private write(text: string): void {
    if (this.fd === undefined) return;
    const bytes = Buffer.alloc(BYTES, ' ');
    bytes.write(text);
    attempt(() => fs.writeSync(this.fd as number, bytes, 0, BYTES, 0));
  }
}

function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

/** Who of the living waits for the machine now, and for what; the pit first. */
export async function listHindered(files: Files, processes: Processes, layout: Layout): Promise<Hindered[]> {
  const found: Hindered[] = [];
  for (const name of await files.list(layout.hindered)) {
    const who = /^(pit|s\d{1,4})\.json$/.exec(name)?.[1];
    const record = who === undefined ? undefined : parseJson<HinderedRecord>(await files.read(join(layout.hindered, name), BYTES));
    if (who === undefined || record?.v !== 1 || (await processes.liveness(record.by)) === 'dead') continue;
    found.push({ who, since: record.since, why: record.why });
  }
  return found.sort((a, b) => (a.who < b.who ? -1 : 1));
}
