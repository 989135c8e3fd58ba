import type { Files } from '../lib/files.js';
import { transcriptFiles } from './glob.js';
import { LineReader, type LineFacts } from './lines.js';
import type { LineRule } from './profile.js';

/** Of one transcript; a larger one is not counted in part, since half a sum is no sum. */
export const TRANSCRIPT_BYTES = 512 * 1024 * 1024;
const CHUNK = 1024 * 1024;

/** What may stand in an argv and in a path: sessions name themselves. */
export const isSessionName = (session: string): boolean => /^[A-Za-z0-9][\w-]{3,127}$/.test(session);

/**
 * The files that bear the session's id in their path or say it themselves, the newest last; another session may have left its own
 * beside them.
 */
export async function sessionFiles(files: Files, home: string, session: string, { glob, rules }: { readonly glob: string; readonly rules: readonly LineRule[] }): Promise<string[]> {
  if (!isSessionName(session)) return [];
  const mine: { file: string; at: number }[] = [];
  for (const file of await transcriptFiles(files, home, glob, session)) {
    const named = file.slice(home.length).includes(session) || (await readSession(files, rules.filter((rule) => rule.session !== undefined), [file]))?.session === session;
    if (named) mine.push({ file, at: (await files.mtimeMs(file)) ?? 0 });
  }
  return mine.sort((a, b) => a.at - b.at).map(({ file }) => file);
}

/** What the rules make of these files, one after the other; undefined where they are too large. */
export async function readSession(files: Files, rules: readonly LineRule[], paths: readonly string[]): Promise<LineFacts | undefined> {
  const reader = new LineReader(rules);
  for (const path of paths) {
    let offset = 0;
    for (let bytes = await files.readFrom(path, 0, CHUNK); bytes.length > 0; bytes = await files.readFrom(path, offset, CHUNK)) {
      offset += bytes.length;
      if (offset > TRANSCRIPT_BYTES) return undefined;
      reader.push(bytes, 0);
    }
    reader.end(0);
  }
  return reader.facts();
}
