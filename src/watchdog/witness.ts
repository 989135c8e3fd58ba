import { join } from 'node:path';
import type { RecordSeen } from '../agents/classify.js';
import { filesAt, transcriptFiles } from '../agents/glob.js';
import { LineReader, type LineFacts } from '../agents/lines.js';
import type { AgentProfile, LineRule } from '../agents/profile.js';
import { PROGRAM_FILES } from '../agents/program.js';
import type { Files } from '../lib/files.js';
import type { AttemptRecord } from '../protocol/records.js';

/** Of one file at one look; what is left is read at the next. */
const CHUNK = 1024 * 1024;

interface Source {
  readonly source: RecordSeen['source'];
  readonly reader: LineReader;
  offset: number;
  changedAt: number;
}

/** Its model has said or done something. A resumed session's figures may be those of its earlier attempts. */
export const hasAnswered = ({ answer, openTools, tokens }: LineFacts, attempt: Pick<AttemptRecord, 'resumed'>): boolean => (answer ?? '').trim() !== '' || openTools > 0 || (!attempt.resumed && (tokens?.output ?? 0) > 0);

/** What all records of a session say together. */
export interface Witnessed {
  readonly records: RecordSeen[];
  readonly session: string | undefined;
  readonly answer: string | undefined;
  /** Files that speak for it; 0: it keeps no records. */
  readonly sources: number;
  /** Its profile names records that it would keep. */
  readonly recordable: boolean;
  readonly events: number;
  readonly transcriptBytes: number;
  readonly openTools: number;
  /** Its model has said or done something in this attempt. */
  readonly answered: boolean;
}

/**
 * The program's own records of one attempt, read as they grow: hook events, its transcript, its state files. Everything is
 * found again from the files after a restart. Records that were there before the attempt began are another's.
 */
export class SessionWitness {
  private readonly sources = new Map<string, Source>();
  private readonly files: Files;
  private readonly profile: AgentProfile;
  private readonly attempt: AttemptRecord;
  private readonly runDir: string;

  constructor(files: Files, profile: AgentProfile, attempt: AttemptRecord, runDir: string) {
    this.files = files;
    this.profile = profile;
    this.attempt = attempt;
    this.runDir = runDir;
  }

  async look(nowMs: number): Promise<Witnessed> {
    const { hooks, transcript, status } = this.profile;
    if (hooks !== undefined) await this.grow('event', join(this.runDir, PROGRAM_FILES.events), hooks.rules, nowMs);
    if (status !== undefined) for (const file of await filesAt(this.files, this.attempt.home, status.glob)) await this.anew(file, status.rules, nowMs);
    if (transcript?.kind === 'jsonl') for (const file of await transcriptFiles(this.files, this.attempt.home, transcript.glob, this.attempt.session)) await this.grow('transcript', file, transcript.rules, nowMs);
    const seen = [...this.sources.values()].map(({ source, changedAt, reader }) => ({ source, changedAt, facts: reader.facts() }));
    const newest = seen.sort((a, b) => b.changedAt - a.changedAt).map(({ facts }) => facts);
    const first = <K extends keyof LineFacts>(key: K): LineFacts[K] | undefined => newest.find((facts) => facts[key] !== undefined)?.[key];
    return {
      records: seen.flatMap(({ source, changedAt, facts }) => (facts.last === undefined ? [] : [{ source, changedAt, last: facts.last }])),
      session: first('session'),
      answer: first('answer'),
      sources: seen.length,
      recordable: hooks !== undefined || status !== undefined || transcript?.kind === 'jsonl',
      events: seen.filter(({ source }) => source === 'event').reduce((sum, { facts }) => sum + facts.events, 0),
      transcriptBytes: [...this.sources.values()].filter(({ source }) => source === 'transcript').reduce((sum, { offset }) => sum + offset, 0),
      openTools: Math.max(0, ...seen.map(({ facts }) => facts.openTools)),
      answered: seen.some(({ facts }) => hasAnswered(facts, this.attempt)),
    };
  }

  private async grow(source: RecordSeen['source'], file: string, rules: readonly LineRule[], nowMs: number): Promise<void> {
    const entry = await this.files.inspect(file);
    if (entry?.kind !== 'file') return;
    let known = this.sources.get(file);
    if (known === undefined) {
      if (rules.every((rule) => rule.state === undefined && rule.session === undefined)) return;
      // A transcript that is older than this attempt is an earlier one's, and is read only from here on.
      known = { source, reader: new LineReader(rules), offset: entry.mtimeMs < this.attempt.startedAt ? entry.size : 0, changedAt: entry.mtimeMs };
      this.sources.set(file, known);
    }
    for (let bytes = await this.files.readFrom(file, known.offset, CHUNK); bytes.length > 0; bytes = await this.files.readFrom(file, known.offset, CHUNK)) {
      known.reader.push(bytes, nowMs);
      known.offset += bytes.length;
      known.changedAt = (await this.files.mtimeMs(file)) ?? nowMs;
    }
  }

  /** A state file is written anew each time. */
  private async anew(file: string, rules: readonly LineRule[], nowMs: number): Promise<void> {
    const changedAt = await this.files.mtimeMs(file);
    if (changedAt === undefined || changedAt < this.attempt.startedAt || this.sources.get(file)?.changedAt === changedAt) return;
    const text = await this.files.read(file, CHUNK);
    this.sources.set(file, { source: 'event', reader: new LineReader(rules).push(text ?? '', nowMs).end(nowMs), offset: 0, changedAt });
  }
}
