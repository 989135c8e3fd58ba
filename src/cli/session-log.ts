import { join } from 'node:path';
import { messageLines } from '../agents/message-words.js';
import { MessageReader, type Message } from '../agents/messages.js';
import type { Telling } from '../agents/profile.js';
import { PROGRAM_FILES } from '../agents/program.js';
import { sessionFiles } from '../agents/session-files.js';
import type { Files } from '../lib/files.js';
import { showLines, tailLines } from '../lib/text.js';
import { RUN_FILES, type AttemptRecord } from '../protocol/records.js';
import { readAgent, readAttempt } from '../runs/run-dir.js';
import { publishedAgents, type Context } from './context.js';

/** A growing text. */
export interface LogText {
  /** What has come to it since the last call, without a newline at its end; undefined for nothing. `last`: nothing follows. */
  next(last: boolean): Promise<string | undefined>;
}

const CHUNK = 1024 * 1024;
/** A session begins its transcript within seconds; after so long what it prints is read instead. */
const PATIENCE_MS = 5000;
/** Clocks of one machine; a program may round the time of its first line. */
const SLACK_MS = 1000;

/** What a terminal showed. `raw`: with its escape sequences. */
export function terminalLog(files: Files, path: string, raw: boolean): LogText {
  const clean = (text: string): string => (raw ? text : tailLines(text, Number.MAX_SAFE_INTEGER).map((line) => showLines(line)).join('\n'));
  let offset = 0;
  return {
    next: async (last) => {
      const chunk = await readOn(files, path, offset);
      // Lines only: a torn escape sequence must not reach the terminal in two halves.
      const whole = last ? chunk : chunk.subarray(0, chunk.lastIndexOf(10) + 1);
      offset += whole.length;
      return whole.length === 0 ? undefined : clean(whole.toString('utf8'));
    },
  };
}

/** Where the messages of a session are to be read. */
interface Source {
  readonly paths: readonly string[];
  readonly rules: readonly Telling[];
  /** Earlier messages are those of the attempts that it resumed. Wall clock, milliseconds. */
  readonly from: number;
  /** Its program's transcript, not what it printed: that has no times. */
  readonly best: boolean;
  /** Messages are in it for certain: in what a program of an older profile wrote of itself there are none. */
  readonly sure: boolean;
}

/** The transcript of a session; where that is not there what it printed as events, or its hooks wrote; undefined where there is neither, or nobody knows how to read it. */
async function sourceOf(context: Context, dir: string): Promise<Source | 'later' | undefined> {
  const { files } = context;
  const attempt = await readAttempt(files, dir);
  if (attempt === undefined) return 'later';
  const profile = (await publishedAgents(context).catch(() => undefined))?.[attempt.profile];
  const { transcript, headless, hooks } = profile ?? {};
  const from = attempt.resumed ? attempt.startedAt - SLACK_MS : 0;
  // What an older snakepit published has no messages.
  const told = transcript?.kind === 'jsonl' ? (transcript.messages as readonly Telling[] | undefined) : undefined;
  if (transcript?.kind === 'jsonl' && told !== undefined && told.length > 0) {
    const paths = await sessionFiles(files, attempt.home, await sessionOf(files, dir, attempt), transcript);
    if (paths.length > 0) return { paths, rules: told, from, best: true, sure: true };
  }
  const printed = attempt.mode === 'headless' ? (headless?.messages as readonly Telling[] | undefined) : undefined;
  const stream = join(dir, PROGRAM_FILES.stream);
  if (printed !== undefined && printed.length > 0 && (await files.exists(stream))) return { paths: [stream], rules: printed, from: 0, best: (told?.length ?? 0) === 0, sure: true };
  const hooked = attempt.mode === 'interactive' ? (hooks?.messages as readonly Telling[] | undefined) : undefined;
  const events = join(dir, PROGRAM_FILES.events);
  if (hooked !== undefined && hooked.length > 0 && (await files.exists(events))) return { paths: [events], rules: hooked, from: 0, best: true, sure: false };
  return (told?.length ?? 0) + (printed?.length ?? 0) + (hooked?.length ?? 0) > 0 ? 'later' : undefined;
}

const sessionOf = async (files: Files, dir: string, attempt: AttemptRecord): Promise<string> => (await readAgent(files, dir))?.session ?? attempt.session;

/**
 * What was said and done in a session, message by message; where its messages cannot be had, what its terminal showed. Which of the
 * two is settled once, when the first of it is printed. `until`: what came later was said in another attempt, which resumed it.
 */
export function sessionLog(context: Context, dir: string, until?: number): LogText {
  const { files, clock } = context;
  const terminal = terminalLog(files, join(dir, RUN_FILES.output), false);
  const begunAt = clock.monoMs();
  let chosen: LogText | undefined;
  let trial: LogText | undefined;
  return {
    next: async (last) => {
      if (chosen === undefined) {
        const source = await sourceOf(context, dir);
        const patient = !last && clock.monoMs() - begunAt < PATIENCE_MS;
        if (source !== undefined && source !== 'later' && (source.best || !patient)) {
          const messages = (trial ??= messageLog(files, { ...source, until: until === undefined ? Number.POSITIVE_INFINITY : until - SLACK_MS }));
          const text = await messages.next(last);
          if (source.sure || text !== undefined) chosen = messages;
          else if (last) chosen = terminal;
          if (chosen !== terminal) return text;
        } else if (source === undefined || last) chosen = terminal;
      }
      return chosen?.next(last);
    },
  };
}

function messageLog(files: Files, { paths, rules, from, until }: Source & { readonly until: number }): LogText {
  const readers = paths.map((path) => ({ path, reader: new MessageReader(rules), offset: 0 }));
  return {
    next: async (last) => {
      const messages: Message[] = [];
      for (const one of readers) {
        for (let part = await files.readFrom(one.path, one.offset, CHUNK); part.length > 0; part = await files.readFrom(one.path, one.offset, CHUNK)) {
          one.offset += part.length;
          messages.push(...one.reader.push(part));
        }
        if (last) messages.push(...one.reader.end());
      }
      const lines = messages.filter(({ at }) => at === undefined || (at >= from && at < until)).flatMap(messageLines);
      return lines.length === 0 ? undefined : lines.join('\n');
    },
  };
}

/** All there is from an offset on. A link or a FIFO in its place reads as nothing. */
async function readOn(files: Files, path: string, offset: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for (let at = offset; ; ) {
    const part = await files.readFrom(path, at, CHUNK);
    if (part.length === 0) return Buffer.concat(parts);
    parts.push(part);
    at += part.length;
  }
}
