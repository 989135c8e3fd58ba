import type { Clock } from '../../lib/clock.js';
import type { Files } from '../../lib/files.js';
import { LineReader } from '../lines.js';
import type { LineRule } from '../profile.js';
import type { ProofPort, ProofRecord } from './ports.js';

/** Files of JSON lines that the program, or a hook of it, writes. They may come into being later, and they only grow. */
export interface RecordSource {
  readonly source: ProofRecord['source'];
  readonly rules: readonly LineRule[];
  files(): Promise<readonly string[]>;
}

/** Of one file; what lies behind is not read, and its prompts go unconfirmed. */
const READ_BYTES = 256 * 1024 * 1024;

/** Prompts that were recorded since it was opened. A file is read again only when it has grown. */
export function linesProof(files: Files, clock: Clock, sources: readonly RecordSource[]): ProofPort {
  const telling = sources.filter(({ rules }) => rules.some((rule) => rule.prompt !== undefined));
  const size = async (path: string): Promise<number> => (await files.inspect(path))?.size ?? 0;
  return {
    records: telling.length > 0,
    open: async () => {
      const before = new Map<string, number>();
      for (const { files: list } of telling) for (const path of await list()) before.set(path, await size(path));
      const read = new Map<string, { readonly size: number; readonly records: readonly ProofRecord[] }>();
      return async () => {
        const found: ProofRecord[] = [];
        for (const { source, rules, files: list } of telling) {
          for (const path of await list()) {
            const [from, now] = [before.get(path) ?? 0, await size(path)];
            if (now > from && read.get(path)?.size !== now) read.set(path, { size: now, records: await recordsOf(path, from, source, rules) });
            found.push(...(read.get(path)?.records ?? []));
          }
        }
        return found;
      };
    },
  };

  async function recordsOf(path: string, from: number, source: ProofRecord['source'], rules: readonly LineRule[]): Promise<ProofRecord[]> {
    const bytes = (await files.readBytes(path, READ_BYTES))?.subarray(from) ?? new Uint8Array();
    // What is written is not always written whole: the unfinished line is left for the next look.
    return new LineReader(rules).push(bytes, clock.wallMs()).facts().prompts.map((prompt) => ({ source, prompt, what: prompt }));
  }
}
