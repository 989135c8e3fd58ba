import { archivist } from './archivist.js';
import { composter } from './composter.js';
import { logKeeper } from './log-keeper.js';
import { orphanHunter } from './orphans.js';
import type { CleanupPorts, CleanupSetting } from './ports.js';
import { reaper } from './reaper.js';
import { pruner } from './pruner.js';
import { reconciler } from './reconciler.js';
import { salvager } from './salvager.js';
import type { Applied, Specialist, SpecialistName, Step } from './specialist.js';
import { sweeper } from './sweeper.js';

/** In this order: what the reaper ends is no orphan any more, and what it settles has a story to be told; what is archived has one; and what the log lacks is told before it is rotated. Work is kept before its worktree goes. */
const ALL: Readonly<Record<SpecialistName, Specialist>> = { reaper, orphans: orphanHunter, reconciler, sweeper, salvager, pruner, archivist, composter, 'log-keeper': logKeeper };

export const specialists = (only?: readonly SpecialistName[]): Specialist[] => Object.values(ALL).filter(({ name }) => only === undefined || only.includes(name));

/** What a run would do now, by whom, by which rule. */
export async function planCleanup(ports: CleanupPorts, setting: CleanupSetting, only?: readonly SpecialistName[]): Promise<Step[]> {
  const steps: Step[] = [];
  for (const specialist of specialists(only)) steps.push(...(await specialist.plan(ports, setting)));
  return steps;
}

/** Whose look at things takes minutes where there are many worktrees, by git. */
const SLOW: ReadonlySet<SpecialistName> = new Set(['salvager', 'pruner']);

/**
 * One round: all is planned, then carried out. What the quick ones plan is carried out while the slow ones still look, so that no task of a
 * dead snake waits for git; they look at what ended before, which the quick ones leave alone.
 */
export async function cleanOnce(ports: CleanupPorts, setting: CleanupSetting, only?: readonly SpecialistName[]): Promise<{ planned: Step[]; applied: Applied[] }> {
  const names = specialists(only).map(({ name }) => name);
  const looking = planCleanup(ports, setting, names.filter((name) => SLOW.has(name)));
  // Heard below, once the others are done.
  looking.catch(() => undefined);
  const soon = await planCleanup(ports, setting, names.filter((name) => !SLOW.has(name)));
  const applied = await applyCleanup(ports, setting, soon);
  const late = await looking;
  const planned = names.flatMap((name) => [...soon, ...late].filter(({ specialist }) => specialist === name));
  return { planned, applied: [...applied, ...(await applyCleanup(ports, setting, late))] };
}

/** Carries a plan out, step by step; a step that throws is told and hinders no other. */
export async function applyCleanup(ports: CleanupPorts, setting: CleanupSetting, steps: readonly Step[]): Promise<Applied[]> {
  const applied: Applied[] = [];
  for (const step of steps) {
    if (step.kind !== 'act') continue;
    const { specialist, subject } = step;
    applied.push(await ALL[specialist].apply(ports, setting, step).catch((cause: unknown) => ({ specialist, subject, kind: 'refused' as const, told: `it could not be done: ${String(cause)}` })));
  }
  return applied;
}
