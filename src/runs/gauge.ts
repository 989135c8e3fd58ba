import { join } from 'node:path';
import { transcriptFiles } from '../agents/glob.js';
import { LINE_BYTES, LineReader } from '../agents/lines.js';
import { LineSplitter } from '../agents/line-splitter.js';
import type { AgentProfile, LineRule } from '../agents/profile.js';
import { PROGRAM_FILES } from '../agents/program.js';
import type { Clock } from '../lib/clock.js';
import type { Files } from '../lib/files.js';
import { parseJson, type AttemptRecord } from '../protocol/records.js';
import { sumTokens, type TokenCount, type TokenSource } from '../protocol/tokens.js';

const CHUNK = 1024 * 1024;

/** Where a program's figures stand while its session runs. */
export type From =
  | { readonly kind: 'transcript'; readonly glob: string; readonly rules: readonly LineRule[] }
  /** What it printed, or its hooks wrote, in this run alone. */
  | { readonly kind: 'own'; readonly source: Extract<TokenSource, 'stream' | 'events'>; readonly file: string; readonly rules: readonly LineRule[] };

/** undefined: a transcript that the program itself must print, or none. */
export function sourceOf({ transcript, headless, hooks }: AgentProfile, mode: AttemptRecord['mode']): From | undefined {
  const tells = (rules: readonly LineRule[] | undefined): rules is readonly LineRule[] => rules?.some((rule) => rule.usage !== undefined) === true;
  if (transcript?.kind === 'jsonl') return { kind: 'transcript', glob: transcript.glob, rules: transcript.rules };
  if (mode === 'headless' && tells(headless?.rules)) return { kind: 'own', source: 'stream', file: PROGRAM_FILES.stream, rules: headless.rules };
  return tells(hooks?.rules) ? { kind: 'own', source: 'events', file: PROGRAM_FILES.events, rules: hooks.rules } : undefined;
}

interface Source {
  readonly lines: LineSplitter;
  readonly reader: LineReader;
  /** Its path names the session; otherwise its lines must. */
  readonly named: boolean;
  offset: number;
}

/** Reads what a session has used so far, from the program's own records, as they grow: each look reads on from where the last one ended. */
export class SessionGauge {
  readonly dir: string;
  readonly session: string;
  readonly from: From;
  private readonly home: string;
  private readonly sources = new Map<string, Source>();
  /** Of the files whose path names the session: a turn that stands in two of them counts once. */
  private readonly shared: LineReader;

  constructor(from: From, dir: string, home: string, session: string) {
    this.from = from;
    this.dir = dir;
    this.home = home;
    this.session = session;
    this.shared = new LineReader(from.rules);
  }

  /** The figures of the whole session, by whichever attempts; of its own files, of this run. undefined: none is named yet. */
  async look(files: Files, clock: Clock): Promise<TokenCount | undefined> {
    const { from, home } = this;
    const paths = from.kind === 'transcript' ? await transcriptFiles(files, home, from.glob, this.session) : [join(this.dir, from.file)];
    for (const path of paths) await this.grow(files, clock, path, from.kind === 'own' || path.slice(home.length).includes(this.session));
    const counts = [this.shared.facts().tokens, ...[...this.sources.values()].map(({ named, reader }) => (!named && reader.facts().session === this.session ? reader.facts().tokens : undefined))];
    const whole = counts.filter((count): count is TokenCount => count !== undefined);
    return whole.length === 0 ? undefined : sumTokens(whole);
  }

  private async grow(files: Files, clock: Clock, path: string, named: boolean): Promise<void> {
    let known = this.sources.get(path);
    if (known === undefined) this.sources.set(path, (known = { lines: new LineSplitter(LINE_BYTES), reader: named ? this.shared : new LineReader(this.from.rules), named, offset: 0 }));
    for (let bytes = await files.readFrom(path, known.offset, CHUNK); bytes.length > 0; bytes = await files.readFrom(path, known.offset, CHUNK)) {
      known.offset += bytes.length;
      for (const line of known.lines.push(bytes)) known.reader.event(parseJson(line), clock.wallMs());
    }
  }
}
