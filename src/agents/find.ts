import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from '../lib/run.js';
import type { AgentProfile } from './profile.js';

/** Programs answer `--version` within two seconds here; a first start on a cold disk may take several times that. */
const VERSION_MS = 20_000;

/** What there is of a profile's program on this machine. */
export type Found =
  | { readonly kind: 'found'; readonly path: string; readonly version: string | undefined }
  | { readonly kind: 'missing'; readonly programs: readonly string[] };

/** The first executable file of that name on a PATH, or the path itself where it is one. */
export function onPath(program: string, path: string | undefined): string | undefined {
  const candidates = program.includes('/') ? [program] : (path ?? '').split(delimiter).filter((dir) => dir !== '').map((dir) => join(dir, program));
  return candidates.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return statSync(file).isFile();
    } catch {
      return false;
    }
  });
}

/** Looks for the program and asks it for its version, with nothing of ours in its environment but where to find things. */
export async function findAgent(profile: AgentProfile, env: Readonly<Record<string, string | undefined>>): Promise<Found> {
  const path = env['PATH'];
  const missing = [profile.binary, ...profile.needs].filter((program) => onPath(program, path) === undefined);
  const program = onPath(profile.binary, path);
  if (missing.length > 0 || program === undefined) return { kind: 'missing', programs: missing };
  const ran = await run([program, ...profile.version.args], { timeoutMs: VERSION_MS, cwd: '/', env: { PATH: path ?? '', HOME: env['HOME'] ?? '/', TERM: 'dumb', NO_COLOR: '1' } });
  const said = ran.kind === 'ended' ? new RegExp(profile.version.pattern, 'u').exec(`${ran.stdout}\n${ran.stderr}`) : null;
  return { kind: 'found', path: program, version: said?.[1] ?? said?.[0] };
}

/** Where a login of the profile's could come from, and whether it is there: a variable, or a file that is carried over. */
export function loginsOf(profile: AgentProfile, env: Readonly<Record<string, string | undefined>>, exists: (path: string) => boolean): { present: string[]; known: string[] } {
  const home = env['HOME'] ?? '/';
  const files = [...profile.carry, ...profile.accounts.flatMap((account) => account.carry)].map(({ from }) => from);
  const variables = [...profile.secrets, ...profile.accounts.flatMap((account) => Object.values(account.from))];
  const present = [...variables.filter((name) => (env[name] ?? '') !== ''), ...files.filter((file) => exists(file.startsWith('~/') ? join(home, file.slice(2)) : file))];
  return { present, known: [...variables, ...files] };
}
