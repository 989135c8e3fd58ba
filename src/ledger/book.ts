import { join } from 'node:path';
import { appendLine } from '../lib/append-line.js';
import type { Files } from '../lib/files.js';
import { monthOf } from '../lib/month.js';
import type { Layout } from '../protocol/layout.js';
import { entryKey, parseEntry, saysAnything, type LedgerEntry } from './entry.js';

/*
 * `.snakepit/ledger/<month>.jsonl`, UTC: lines are appended and never changed. A line that a killed writer wrote may be written
 * again by its successor; whoever reads takes the first of each key. A torn one is passed over.
 */

const CHUNK = 256 * 1024;
const MONTH_FILE = /^\d{4}-\d\d\.jsonl$/;
const NEWLINE = 10;

const fileOf = (layout: Layout, atMs: number): string => join(layout.ledger, `${monthOf(atMs)}.jsonl`);

/** Appends an entry; false where it says nothing, and stays out. A failed write is the caller's to try again. */
export async function enter(files: Files, layout: Layout, entry: LedgerEntry): Promise<boolean> {
  if (!saysAnything(entry)) return false;
  await files.makeDir(layout.ledger);
  await appendLine(files, fileOf(layout, entry.at), JSON.stringify(entry));
  return true;
}

/** Where a reader of one file has come to. */
interface Position {
  offset: number;
  /** The begun line at the end. */
  rest: Buffer;
}

/** Reads the ledger, and later what has come to it since: each entry once. Holds the keys of what it has read, and no entry. */
export class LedgerReader {
  private readonly files: Files;
  private readonly layout: Layout;
  private readonly sinceMs: number;
  private readonly positions = new Map<string, Position>();
  private readonly seen = new Set<string>();
  /** Lines that were torn, or none of ours. */
  broken = 0;

  /** `sinceMs`: entries of before are left out, and months that ended before are not opened. */
  constructor(files: Files, layout: Layout, sinceMs = 0) {
    this.files = files;
    this.layout = layout;
    this.sinceMs = sinceMs;
  }

  /** Whether an entry of this key was read already. */
  has(key: string): boolean {
    return this.seen.has(key);
  }

  /** Gives `take` each entry that was not read yet, in the order of the files. */
  async read(take: (entry: LedgerEntry) => void): Promise<void> {
    const first = monthOf(this.sinceMs);
    const names = (await this.files.list(this.layout.ledger)).filter((name) => MONTH_FILE.test(name) && name >= `${first}.jsonl`);
    for (const name of names.sort()) await this.readFile(join(this.layout.ledger, name), take);
  }

  private async readFile(file: string, take: (entry: LedgerEntry) => void): Promise<void> {
    let at = this.positions.get(file);
    if (at === undefined) this.positions.set(file, (at = { offset: 0, rest: Buffer.alloc(0) }));
    if (((await this.files.inspect(file))?.size ?? 0) <= at.offset) return;
    for (;;) {
      const bytes = await this.files.readFrom(file, at.offset, CHUNK);
      if (bytes.length === 0) return;
      at.offset += bytes.length;
      const text = at.rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([at.rest, bytes]);
      const end = text.lastIndexOf(NEWLINE) + 1;
      at.rest = text.subarray(end);
      for (const line of text.toString('utf8', 0, end).split('\n')) this.line(line, take);
    }
  }

  private line(line: string, take: (entry: LedgerEntry) => void): void {
    if (line === '') return;
    const entry = parseEntry(line);
    if (entry === undefined) {
      this.broken += 1;
      return;
    }
    const key = entryKey(entry);
    if (entry.at < this.sinceMs || this.seen.has(key)) return;
    this.seen.add(key);
    take(entry);
  }
}
