import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Core } from './headless.js';

/*
 * How a test of delivery starts each program, and where it writes its transcript, in the homes of these tests. What screens and
 * transcripts mean is the profiles' data.
 */
export interface Composer {
  readonly argv: readonly string[];
  /** Below the home. */
  readonly transcripts: string;
}

export const COMPOSERS: Readonly<Record<Core, Composer>> = {
  claude: { argv: ['--permission-mode', 'default'], transcripts: '.claude/projects' },
  codex: { argv: ['--no-daemon', '-a', 'never', '-s', 'read-only'], transcripts: '.codex/sessions' },
  gemini: { argv: ['--skip-trust', '-m', 'gemini-2.5-pro'], transcripts: '.gemini/tmp' },
  opencode: { argv: [], transcripts: '.none' },
  pi: { argv: ['--provider', 'stub', '--model', 'stub-model'], transcripts: '.pi/agent/sessions' },
};

export function transcriptsBelow(dir: string): string[] {
  try {
    return readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.jsonl')).map((file) => join(dir, file));
  } catch {
    return [];
  }
}
