import type { Files } from '../../lib/files.js';
import { parseJson } from '../../protocol/records.js';

/** Directory times move in steps of some milliseconds: what was read this soon after a change may miss the next one. */
const SAME_STEP_MS = 50;
/** A listing of many names is not made anew more often than this: at 10⁴ names it costs 5 ms. */
const LARGE = { names: 2000, everyMs: 3000 };

interface Kept<T> {
  readonly stamp: string;
  readonly value: T;
  readonly at: number;
  round: number;
}

/** Files and directories as they were last read, trusted while their time and size stand still. What is asked for no more is forgotten. */
export class Recent {
  private readonly files: Files;
  private readonly kept = new Map<string, Kept<unknown>>();
  private round = 0;

  constructor(files: Files) {
    this.files = files;
  }

  /** A look begins: what the last few did not ask for is dropped. */
  begin(): void {
    this.round += 1;
    for (const [path, one] of this.kept) if (this.round - one.round > 3) this.kept.delete(path);
  }

  private async from<T>(key: string, path: string, nowMs: number, read: () => Promise<T>, patient: (value: T) => number = () => 0): Promise<T> {
    const known = this.kept.get(key) as Kept<T> | undefined;
    if (known !== undefined && nowMs - known.at >= 0 && nowMs - known.at < patient(known.value)) {
      known.round = this.round;
      return known.value;
    }
    const entry = await this.files.inspect(path);
    const stamp = entry === undefined ? 'none' : `${entry.mtimeMs} ${entry.size}`;
    if (known?.stamp === stamp && (entry === undefined || known.at - entry.mtimeMs > SAME_STEP_MS)) {
      known.round = this.round;
      return known.value;
    }
    const value = await read();
    this.kept.set(key, { stamp, value, at: nowMs, round: this.round });
    return value;
  }

  json<T>(path: string, nowMs: number): Promise<T | undefined> {
    return this.from(`json ${path}`, path, nowMs, async () => parseJson<T>(await this.files.read(path)));
  }

  text(path: string, nowMs: number, maxBytes: number): Promise<string | undefined> {
    return this.from(`text ${path}`, path, nowMs, () => this.files.read(path, maxBytes));
  }

  /** What was made of the files of a directory in which each is written beside and renamed: one look at the directory tells of any of them. */
  made<T>(dir: string, nowMs: number, make: () => Promise<T>): Promise<T> {
    return this.from(`made ${dir}`, dir, nowMs, make);
  }

  /** Names in a directory; the very same array while nothing has changed. */
  names(dir: string, nowMs: number): Promise<readonly string[]> {
    return this.from(`list ${dir}`, dir, nowMs, async () => (await this.files.list(dir)).sort(), (names: readonly string[]) => (names.length > LARGE.names ? LARGE.everyMs : 0));
  }
}
