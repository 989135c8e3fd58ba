import { join } from 'node:path';
import type { Profiles } from '../agents/choice.js';
import { isTaskFile } from '../protocol/layout.js';
import { parseJson, RUN_FILES } from '../protocol/records.js';
import { countRun, isPrinted, type CountSetting } from '../runs/count-run.js';
import { countOwed, owedRuns, standingNonces } from '../runs/owed.js';
import { publishStory } from '../runs/publish.js';
import { readAttempt, type OutcomeRecord } from '../runs/run-dir.js';
import { sessionDirs } from '../runs/steps.js';
import type { CleanupPorts, CleanupSetting } from './ports.js';
import type { Applied, Step } from './specialist.js';

/** With the agents as the pit last published them; undefined where it never did, or nobody counts. */
async function settingOf({ files }: CleanupPorts, { layout, config, pitId, counting }: CleanupSetting): Promise<CountSetting | undefined> {
  const profiles = counting === undefined ? undefined : parseJson<Profiles>(await files.read(layout.agents));
  return counting === undefined || profiles === undefined ? undefined : { layout, config, pitId, ...counting, profiles: () => Promise.resolve(profiles) };
}

/**
 * What an attempt has used whose claim the reaper has fenced, before its task goes on: nobody else may count it, and its processes are gone. What only
 * its program can tell is owed. Says whether a program was run, which bears the marker.
 */
export async function countReaped(ports: CleanupPorts, setting: CleanupSetting, id: string, marker: string, base: string, { endedAt }: Pick<OutcomeRecord, 'endedAt'>): Promise<boolean> {
  const counts = await settingOf(ports, setting);
  if (counts === undefined) return false;
  const profiles = await counts.profiles();
  let ran = false;
  for (const dir of await sessionDirs(ports.files, base)) {
    const attempt = (await ports.files.exists(join(dir, RUN_FILES.session))) ? await readAttempt(ports.files, dir) : undefined;
    if (attempt === undefined || (isPrinted(profiles[attempt.profile]) && setting.counting?.programs !== true)) continue;
    const counted = await countRun(ports, counts, { id, dir, attempt, endedAt, marker, ...(attempt.step === undefined ? {} : { step: attempt.step.id }) });
    ran ||= counted.ran;
  }
  return ran;
}

/** Attempts that ended with nobody to count them. */
export async function planCounting(ports: CleanupPorts, setting: CleanupSetting): Promise<Step[]> {
  const counts = setting.thorough ? await settingOf(ports, setting) : undefined;
  if (counts === undefined) return [];
  const { files } = ports;
  const profiles = await counts.profiles();
  const standing = await standingNonces(files, setting.layout);
  const steps: Step[] = [];
  for (const id of await files.list(setting.layout.runs)) {
    const owed = (await owedRuns(files, counts, id, standing)).filter(({ attempt }) => setting.counting?.programs === true || !isPrinted(profiles[attempt.profile]));
    if (owed.length > 0) steps.push({ specialist: 'reconciler', kind: 'act', verb: 'count', subject: id, rule: 'what it used was not counted: whoever was to do so died, or was called back', evidence: `${owed.length} session${owed.length === 1 ? '' : 's'}`, target: id });
  }
  return steps;
}

/** Enters what a task owes, and tells it in its story. */
export async function applyCounting(ports: CleanupPorts, setting: CleanupSetting, id: string): Promise<Pick<Applied, 'kind' | 'told'>> {
  const counts = await settingOf(ports, setting);
  if (counts === undefined) return { kind: 'gone', told: 'nothing says which agents there are' };
  const { kind, entered } = await countOwed(ports, counts, id, { programs: setting.counting?.programs === true });
  if (entered > 0) await tellAnew(ports, setting, id);
  if (entered > 0) return { kind: 'done', told: `${entered} session${entered === 1 ? ' is' : 's are'} in the ledger now` };
  return kind === 'left' ? { kind: 'refused', told: 'it cannot be counted yet: its session lives, or the ledger cannot be written' } : { kind: 'gone', told: kind === 'held' ? 'somebody else counts it' : 'it was counted meanwhile' };
}

/** A story that stands is written again with the figures, as long as what it quotes is there. */
async function tellAnew({ files }: CleanupPorts, { layout }: CleanupSetting, id: string): Promise<void> {
  for (const state of ['done', 'failed'] as const) {
    const there = await files.list(layout.dir(state));
    if (there.includes(`${id}.md`) && isTaskFile(`${id}.md`) && there.includes(`${id}.result.md`)) await publishStory(files, layout, state, id);
  }
}
