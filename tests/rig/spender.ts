import { fileURLToPath } from 'node:url';
import { loadProfiles } from '../../src/agents/load-profiles.js';

const SPENDER = fileURLToPath(new URL('spender.mjs', import.meta.url));

/** One turn of spender.mjs, which tells them. */
export type Turn = Readonly<Record<string, string | number>>;

/** `agents:` with the profile of the spending agent program, as one line of snakepit.yaml; its transcript is read by the rules of Claude's. */
export function spenderProfile(more: Readonly<Record<string, unknown>> = {}): string {
  const built = loadProfiles({});
  const transcript = built.ok ? built.value['claude']?.transcript : undefined;
  const session = [{ if: 'fresh', args: ['--session-id', '{session}'] }, { if: 'resume', args: ['--resume', '{session}'] }];
  const spender = { binary: process.execPath, install: 'part of the tests', account: 'spending', headless: { argv: [process.execPath, SPENDER, '{home}', '{prompt-file}', ...session] }, transcript: JSON.parse(JSON.stringify(transcript)) as unknown, ...more };
  return `agents: ${JSON.stringify({ spender })}`;
}

/** A task for it: by attempt, by turn. */
export const spenderTask = (attempts: readonly (readonly Turn[])[], head: readonly string[] = []): string => `${head.length === 0 ? '' : `---\n${head.join('\n')}\n---\n`}# Spend\n\nSPEND: ${JSON.stringify({ attempts })}\n`;
