import { basename, dirname, join } from 'node:path';
import type { Files } from '../lib/files.js';
import type { Layout } from '../protocol/layout.js';
import type { ClaimName } from '../protocol/names.js';
import type { FlowRecord, StepEnd } from '../protocol/workflow.js';
import { readFlow, sessionDir } from './flow-record.js';
import { runDirOf } from './run-dir.js';

/*
 * An attempt with a workflow has a run directory for each of its sessions, below its own:
 *
 *     runs/<id>/001-<nonce>/                    the attempt: task.md, workflow.json, outcome.json, cancel, handed/, work/
 *     runs/<id>/001-<nonce>/steps/02-review/    one session: attempt.json, launch.sh, started, exit, result.json …
 *
 * Without one the attempt's own directory is its session's. Whoever looks for the session asks here.
 */

/** A session of a claimed task. */
export interface CurrentRun {
  /** The attempt's directory. */
  readonly base: string;
  /** The directory of the session that runs, ran last, or is about to. */
  readonly dir: string;
  /** Its name in tmux. */
  readonly session: string;
  readonly flow: FlowRecord | undefined;
}

/** One name a session, so that a step never meets the session of another. */
export function sessionName(nonce: string, dir: string): string {
  const number = basename(dirname(dir)) === 'steps' ? /^\d+/.exec(basename(dir))?.[0] : undefined;
  return number === undefined ? `sp-${nonce}` : `sp-${nonce}-${number}`;
}

/** Where the session of a claim is to be found. */
export async function currentRun(files: Files, layout: Layout, name: Pick<ClaimName, 'id' | 'counters' | 'nonce'>): Promise<CurrentRun> {
  const base = runDirOf(layout, name);
  const flow = await readFlow(files, base);
  const dir = sessionDir(base, flow);
  return { base, dir, session: sessionName(name.nonce, dir), flow };
}

/** Every session directory of an attempt, in order: that of the attempt itself where it has no steps. */
export async function sessionDirs(files: Files, base: string): Promise<string[]> {
  const steps = (await files.list(join(base, 'steps'))).filter((name) => /^\d\d+-/.test(name)).sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
  return steps.length === 0 ? [base] : steps.map((name) => join(base, 'steps', name));
}

/** The sessions of a workflow that ended in this very attempt. */
export const endsIn = (flow: FlowRecord, base: string): StepEnd[] => flow.events.filter((event): event is StepEnd => event.kind === 'step-ended' && event.run.startsWith(`${basename(base)}/`));
