import { join } from 'node:path';
import type { Files } from '../lib/files.js';
import { err, ok, type Result } from '../lib/result.js';
import { run } from '../lib/run.js';
import { sumTokens, tokensSince, type TokenCount, type TokenRecord, type TokenSource } from '../protocol/tokens.js';
import type { AgentProfile, LineRule } from './profile.js';
import { PROGRAM_FILES } from './program.js';
import { readDocument } from './read-lines.js';
import { isSessionName, readSession, sessionFiles, TRANSCRIPT_BYTES } from './session-files.js';

/** Of a transcript that is there, and is not counted in part. */
export const TOO_LARGE = 'its transcript is larger than 512 MiB';
/** opencode takes 1 to 4 s to start; many at once on a small machine several times that. */
const EXPORT_MS = 30_000;

export interface TokenParts {
  readonly files: Files;
  readonly profile: AgentProfile;
  readonly mode: 'headless' | 'interactive';
  /** The program's session id: assigned, or as it named itself. */
  readonly session: string;
  readonly home: string;
  readonly workspace: string;
  readonly runDir: string;
  /** For a transcript that the program itself prints: the session's environment without its keys, with its marker. */
  readonly env: Readonly<Record<string, string>>;
  /** What earlier attempts of the same session were counted; empty in a new session, undefined where it is not known. */
  readonly before: readonly TokenRecord[] | undefined;
}

/** Whether a program says anywhere what it used. */
export const tellsTokens = ({ profile, mode }: Pick<TokenParts, 'profile' | 'mode'>): boolean => profile.transcript !== undefined || (mode === 'headless' && profile.headless?.rules.some((rule) => rule.usage !== undefined) === true);

/**
 * The tokens that one attempt added to its session: from the program's transcript, found by the session's id; where that cannot
 * be read, from what the program printed, or its hooks wrote, in this attempt. An error says why there is no figure.
 */
export async function attemptTokens(parts: TokenParts): Promise<Result<TokenRecord, string>> {
  const whole = await ofTranscript(parts);
  const added = whole.ok ? since(parts.before, whole.value.count) : whole;
  if (whole.ok && added.ok) return ok({ ...added.value, source: whole.value.source, session: parts.session });
  const { profile, mode, runDir } = parts;
  const own = [
    ...(mode === 'headless' && profile.headless !== undefined ? [{ source: 'stream', file: PROGRAM_FILES.stream, rules: profile.headless.rules }] as const : []),
    ...(profile.hooks === undefined ? [] : [{ source: 'events', file: PROGRAM_FILES.events, rules: profile.hooks.rules }] as const),
  ];
  for (const { source, file, rules } of own) {
    if (!rules.some((rule) => rule.usage !== undefined)) continue;
    const count = await ofFiles(parts.files, rules, [join(runDir, file)]);
    if (count.ok) return ok({ ...count.value, source, session: parts.session });
  }
  return err(added.ok ? 'it named no figure' : added.error);
}

function since(before: TokenParts['before'], whole: TokenCount): Result<TokenCount, string> {
  if (before === undefined) return err('its session is an earlier one, of which no figure is known');
  const added = tokensSince(sumTokens(before), whole);
  return added === undefined ? err('the figures of its session went back') : ok(added);
}

/** All that the session has used so far, in whichever attempt. */
async function ofTranscript(parts: TokenParts): Promise<Result<{ count: TokenCount; source: TokenSource }, string>> {
  const { transcript } = parts.profile;
  if (transcript === undefined) return err('its program keeps no transcript');
  if (!isSessionName(parts.session)) return err('its session has no usable name');
  const count = transcript.kind === 'jsonl' ? await ofSession(parts, transcript.glob, transcript.rules) : await ofCommand(parts, transcript);
  return count.ok ? ok({ count: count.value, source: transcript.kind === 'jsonl' ? 'transcript' : 'export' }) : count;
}

async function ofSession({ files, home, session }: TokenParts, glob: string, rules: readonly LineRule[]): Promise<Result<TokenCount, string>> {
  const mine = await sessionFiles(files, home, session, { glob, rules });
  return mine.length === 0 ? err('no transcript of its session was found') : ofFiles(files, rules, mine);
}

async function ofFiles(files: Files, rules: readonly LineRule[], paths: readonly string[]): Promise<Result<TokenCount, string>> {
  const facts = await readSession(files, rules, paths);
  if (facts === undefined) return err(TOO_LARGE);
  return facts.tokens === undefined ? err('its transcript has no figures') : ok(facts.tokens);
}

/** Into a file, because opencode ends before a pipe has taken more than 64 KiB. */
async function ofCommand({ files, session, workspace, runDir, env }: TokenParts, { argv, each, rules }: Extract<NonNullable<AgentProfile['transcript']>, { kind: 'command' }>): Promise<Result<TokenCount, string>> {
  const target = join(runDir, PROGRAM_FILES.export);
  const ran = await run(['/bin/sh', '-c', 'umask 077; exec "$@" >"$0"', target, ...argv.map((part) => part.replaceAll('{session}', session))], { timeoutMs: EXPORT_MS, cwd: workspace, env });
  const size = (await files.inspect(target))?.size ?? 0;
  const bytes = await files.readBytes(target, TRANSCRIPT_BYTES);
  await files.remove(target);
  if (ran.kind === 'unknown') return err(`its transcript could not be had: ${ran.why}`);
  if (ran.code !== 0) return err(`its transcript could not be had: ${argv.join(' ')} ended with status ${ran.code}`);
  if (size > TRANSCRIPT_BYTES) return err(TOO_LARGE);
  const facts = readDocument(rules, Buffer.from(bytes ?? []).toString('utf8'), 0, each);
  return facts.tokens === undefined ? err('its transcript has no figures') : ok(facts.tokens);
}
