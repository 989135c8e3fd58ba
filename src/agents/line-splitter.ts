const NEWLINE = 0x0a;

/** Bytes → lines, wherever the chunks are cut. Holds one unfinished line of at most `maxBytes`; a longer one is skipped and counted. */
export class LineSplitter {
  oversize = 0;
  readonly #maxBytes: number;
  #pending: Buffer[] = [];
  #bytes = 0;
  #skipping = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that the chunk completes; blank ones are left out. */
  push(chunk: string | Uint8Array): string[] {
    const lines: string[] = [];
    let rest = typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let end = rest.indexOf(NEWLINE); end !== -1; end = rest.indexOf(NEWLINE)) {
      this.#keep(rest.subarray(0, end));
      lines.push(...this.end());
      rest = rest.subarray(end + 1);
    }
    // A copy, because the caller may use its buffer again.
    this.#keep(Buffer.from(rest));
    return lines;
  }

  /** The unfinished line, if there is one, as the last. */
  end(): string[] {
    const line = Buffer.concat(this.#pending).toString('utf8').replace(/^\uFEFF/u, '');
    if (this.#skipping) this.oversize += 1;
    this.#skipping = false;
    this.#drop();
    return line.trim() === '' ? [] : [line];
  }

  #keep(part: Buffer): void {
    if (this.#skipping || part.length === 0) return;
    this.#pending.push(part);
    this.#bytes += part.length;
    if (this.#bytes <= this.#maxBytes) return;
    this.#skipping = true;
    this.#drop();
  }

  #drop(): void {
    this.#pending = [];
    this.#bytes = 0;
  }
}
