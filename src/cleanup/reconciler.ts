import { join, relative } from 'node:path';
import { holder } from '../lib/baton.js';
import { RUN_FILES } from '../protocol/records.js';
import { missingTexts, publishMissing } from '../runs/publish.js';
import { listSnakes } from '../runs/registry.js';
import { sessionDirs } from '../runs/steps.js';
import { applyCounting, planCounting } from './counting.js';
import type { CleanupPorts, CleanupSetting } from './ports.js';
import { freeProbe, planProbes } from './probes.js';
import type { Specialist, Step } from './specialist.js';
import { claimStands, untold } from './untold.js';

const step = (verb: string, subject: string, target: string, rule: string, evidence: string): Step => ({ specialist: 'reconciler', kind: 'act', verb, subject, rule, evidence, target });

/** A task that was settled, or parked, by somebody who died before its story, or its question, was written. */
async function storiesLeftOut({ files }: CleanupPorts, { layout }: CleanupSetting): Promise<Step[]> {
  return (await missingTexts(files, layout)).map(({ id, kind }) => (kind === 'parked' ? step('story', id, `${kind}/${id}`, 'it was parked, and its question was not written', 'it stands alone in queue/needs/') : step('story', id, `${kind}/${id}`, 'it was settled, and its story was not written', `queue/${kind}/${id}.md stands alone`)));
}

async function untoldSteps(ports: CleanupPorts, setting: CleanupSetting): Promise<Step[]> {
  if (!setting.thorough) return [];
  return (await untold(ports, setting)).map(({ id, event, evidence }) => step('tell', id, JSON.stringify(event), 'it was settled, and the event log was not told', evidence));
}

/** What a pit that died left of itself; the next `up` would take it for news. */
async function ofDeadPits({ files, processes }: CleanupPorts, { layout }: CleanupSetting): Promise<Step[]> {
  if ((await holder(files, processes, layout.locks.pit)) !== undefined) return [];
  const steps: Step[] = [];
  if (await files.exists(layout.snapshot)) steps.push(step('remove', relative(layout.root, layout.snapshot), layout.snapshot, 'its pit is dead', 'nobody holds the lock of the pit'));
  for (const one of await listSnakes(files, processes, layout)) {
    if (one.liveness === 'dead') steps.push(step('remove', relative(layout.root, one.file), one.file, 'the snake that registered is dead', `${one.snake} (pid ${one.process.pid}) is gone`));
  }
  return steps;
}

/** A launcher holds the keys of its session, and is written only under a claim that stands; so it is looked for first, and the claim second. Where no claim stands that it could start, it never will. */
async function launchersLeft({ files }: CleanupPorts, { layout, thorough }: CleanupSetting): Promise<Step[]> {
  if (!thorough) return [];
  const steps: Step[] = [];
  for (const id of await files.list(layout.runs)) {
    for (const attempt of await files.list(join(layout.runs, id))) {
      if (!/^\d{3,}-[0-9a-z]{10}$/.test(attempt)) continue;
      for (const run of await sessionDirs(files, join(layout.runs, id, attempt))) {
        const launcher = join(run, RUN_FILES.launcher);
        if ((await files.exists(launcher)) && !(await claimStands(files, layout, attempt.slice(-10)))) steps.push(step('remove', relative(layout.root, launcher), launcher, 'it was never started, and no claim stands that it could start', `no claim bears ${attempt.slice(-10)}`));
      }
    }
  }
  return steps;
}

/** Everything that a crash left half-done and that is no claim: those are the reaper's. */
export const reconciler: Specialist = {
  name: 'reconciler',
  does: 'finishes what a crash left half-done: stories that were not written, records of dead pits and snakes, launches that never came, accounts tried by a task that has gone, tokens that nobody counted',
  plan: async (ports, setting) => [...(await storiesLeftOut(ports, setting)), ...(await untoldSteps(ports, setting)), ...(await ofDeadPits(ports, setting)), ...(await launchersLeft(ports, setting)), ...(await planProbes(ports, setting)), ...(await planCounting(ports, setting))],
  apply: async (ports, setting, { verb, subject, target }) => {
    const { files, events } = ports;
    const { layout } = setting;
    const done = { specialist: 'reconciler', subject, kind: 'done' } as const;
    if (verb === 'story') {
      const missing = (await missingTexts(files, layout)).filter(({ kind, id }) => target === `${kind}/${id}`);
      if (missing.length === 0) return { ...done, kind: 'gone', told: 'it is written, or the task has moved on' };
      await publishMissing(files, layout, missing);
      return { ...done, told: target.startsWith('parked/') ? 'its question is written' : 'its story is written' };
    }
    if (verb === 'tell') {
      const event = (await untold(ports, setting)).find((one) => one.id === subject && JSON.stringify(one.event) === target)?.event;
      if (event === undefined) return { ...done, kind: 'gone', told: 'it has been told meanwhile' };
      await events.emit(event);
      return { ...done, told: 'the event log is told' };
    }
    if (verb === 'count') return { ...done, ...(await applyCounting(ports, setting, target)) };
    if (verb === 'free') return { ...done, ...(await freeProbe(ports, setting, target)) };
    if (!(await files.exists(target))) return { ...done, kind: 'gone', told: 'it has gone' };
    // An `up` in the meantime makes both its own again.
    if (!target.endsWith(RUN_FILES.launcher) && (await holder(files, ports.processes, layout.locks.pit)) !== undefined) return { ...done, kind: 'gone', told: 'a pit lives again' };
    await files.remove(target);
    return { ...done, told: 'removed' };
  },
};
