import { err, ok, type Result } from '../lib/result.js';
import { nearest } from '../lib/text.js';
import type { TaskSpec } from '../protocol/task.js';
import { shellProgram, type ShellProgram } from './shell.js';

/** How a kind of agent works a task. Only the shell is built so far; the coding agents come as data behind this interface. */
export interface AgentProfile {
  readonly name: string;
  /** Files that must be on the PATH. */
  readonly needs: readonly string[];
  program(spec: TaskSpec): Result<ShellProgram, string>;
}

const PROFILES: readonly AgentProfile[] = [{ name: 'shell', needs: ['sh'], program: shellProgram }];

export const profileNames = (): string[] => PROFILES.map((profile) => profile.name);

/** The first of the wanted profiles that exists. */
export function chooseProfile(wanted: readonly string[], fallback: string): Result<AgentProfile, string> {
  const names = wanted.length > 0 ? wanted : [fallback];
  for (const name of names) {
    const found = PROFILES.find((profile) => profile.name === name);
    if (found !== undefined) return ok(found);
  }
  const near = nearest(names[0] ?? '', profileNames());
  return err(`no agent profile is called ${names.join(' or ')}${near === undefined ? '' : `; did you mean ${near}?`}; known: ${profileNames().join(', ')}`);
}
