import * as fs from 'node:fs';
import type { QueueState } from '../../../src/protocol/layout.js';
import type { TaskPlan } from '../../chaos/witness.js';
import { end, type Ended, type Stage, type Stop } from './stage.js';

/* What actors are made of: tasks put in line, snakes that live and die, and where a task lies. */

export interface Goal {
  readonly id: string;
  readonly state: QueueState | 'archive';
  /** It ends without an attempt. */
  readonly untried?: boolean;
}

export interface Actor {
  /** Lines of snakepit.yaml. */
  readonly more?: readonly string[];
  /** The pit's directory is a repository. */
  readonly repo?: boolean;
  /** A hook is told when a task is done. */
  readonly hooks?: boolean;
  readonly arrange: (stage: Stage) => Promise<void>;
  readonly act: (stage: Stage, stop?: Stop, list?: string) => Promise<Ended>;
  /** What is said, or comes by, after its death, before a snake works whatever is in line. */
  readonly again: (stage: Stage) => Promise<unknown>;
  /** A function where the ids are made on the way. */
  readonly goals: readonly Goal[] | ((stage: Stage) => readonly Goal[]);
  /** What must hold of it beside what must hold of all; the faults. */
  readonly also?: (stage: Stage) => readonly string[];
}

export const plan = (id: string, more: Partial<TaskPlan> = {}): TaskPlan => ({ id, habit: 'well', leaves: 'nothing', seconds: 0, work: 'none', ...more });
export const BRIEF_MS = 120_000;
export const DONE: readonly Goal[] = [{ id: 'x', state: 'done' }];
export const FAILED: readonly Goal[] = [{ id: 'x', state: 'failed' }];

/** A task is put in line as a drop is. */
export async function inLine(stage: Stage, text: string): Promise<void> {
  stage.pit.dropTask('x.md', text);
  must(await stage.round('drops'), 'taking in');
}

export function must(ended: Ended, what: string): void {
  if (ended.code !== 0) throw new Error(`${what} ended with ${ended.code ?? ended.signal ?? ''}: ${ended.output}`);
}

/** A snake until it has nothing more to do, told to end then; or to its death. */
export async function snakeLife(stage: Stage, goals: readonly Goal[], stop?: Stop, list?: string): Promise<Ended> {
  const child = stage.snake(stop, list);
  const ended = end(child);
  let over = false;
  void ended.then(() => (over = true));
  // On a disk that stays full it waits for ever.
  child.stderr?.on('data', (chunk: Buffer) => (over ||= chunk.toString().includes('it waits until that has passed')));
  await stage.pit.until('its tasks have come to their end, or it has', () => over || reached(stage, goals), BRIEF_MS);
  child.kill('SIGTERM');
  return ended;
}

export const reached = (stage: Stage, goals: readonly Goal[]): boolean => goals.every((goal) => whereIs(stage, goal.id).join() === goal.state);

/** Every place in which a task of that id lies. */
export function whereIs({ pit: { layout } }: Stage, id: string): string[] {
  const found: string[] = [];
  for (const state of ['ready', 'waiting', 'held', 'claimed', 'reaping', 'stuck', 'needs', 'done', 'failed'] as const) {
    for (const name of fs.readdirSync(layout.dir(state))) if (name === `${id}.md` || (name.includes(`~${id}~`) && name.endsWith('.md'))) found.push(state);
  }
  for (const name of fs.readdirSync(layout.queue)) if (name === `${id}.md`) found.push('queue');
  if (fs.existsSync(layout.archive)) for (const name of fs.readdirSync(layout.archive, { recursive: true, encoding: 'utf8' })) if (name.endsWith(`/${id}.md`)) found.push('archive');
  return found;
}

/** Works whatever is in line, waits, or is orphaned, to the end. */
export async function workOff(stage: Stage, goals: readonly Goal[]): Promise<void> {
  must(await stage.round('waiting'), 'letting go');
  if (reached(stage, goals)) return;
  const child = stage.snake();
  const ended = end(child);
  let over = false;
  void ended.then(() => (over = true));
  try {
    await stage.pit.until(`it has come to ${goals.map(({ state }) => state).join()}`, async () => {
      if (over || reached(stage, goals)) return true;
      if (stage.pit.files('waiting').length > 0) must(await stage.round('waiting'), 'letting go');
      return false;
    }, BRIEF_MS);
  } finally {
    child.kill('SIGTERM');
    must(await ended, 'the snake');
  }
}

/** A snake that was killed while a session works. */
export async function killedAtWork(stage: Stage): Promise<void> {
  await inLine(stage, stage.witness.taskText(plan('x', { seconds: 30, leaves: 'marked' })).replace('sleep 30', '[ "$SNAKEPIT_ATTEMPT" -gt 1 ] || sleep 30'));
  const child = stage.snake();
  const ended = end(child);
  await stage.pit.until('it works', () => stage.witness.seen('x', 'start').length > 0, BRIEF_MS);
  child.kill('SIGKILL');
  await ended;
}

export async function worked(stage: Stage, text: string, goals: readonly Goal[]): Promise<void> {
  await inLine(stage, text);
  await workOff(stage, goals);
}

export const NEEDS: readonly Goal[] = [{ id: 'x', state: 'needs' }];
export const nothing = async (): Promise<void> => undefined;
export const quickly = (stage: Stage, fails = false): string => stage.witness.taskText(plan('x', { leaves: 'marked', habit: fails ? 'fails' : 'well' }));
