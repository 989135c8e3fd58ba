import { join } from 'node:path';
import { formatDuration } from '../lib/duration.js';
import { isTaskFile } from '../protocol/layout.js';
import { monthOf } from '../queue/archive.js';
import type { CleanupPorts, CleanupSetting } from './ports.js';
import type { Applied, Specialist, Step } from './specialist.js';

const STORY = '.result.md';

/** Where a file of done/ goes; by the time that its task ended in. */
const placeOf = ({ layout }: CleanupSetting, atMs: number, name: string): string => join(layout.archive, monthOf(atMs), name);

/** Tasks first, then stories whose task has gone there already: a crash between the two leaves a story behind. */
async function planArchive({ files, clock }: CleanupPorts, setting: CleanupSetting): Promise<Step[]> {
  const { layout, config, thorough } = setting;
  if (!thorough) return [];
  const done = layout.dir('done');
  const names = await files.list(done);
  const there = new Set(names);
  const steps: Step[] = [];
  for (const name of names) {
    const story = name.endsWith(STORY);
    if (!story && !isTaskFile(name)) continue;
    const id = name.slice(0, story ? -STORY.length : -3);
    const endedAt = await files.mtimeMs(join(done, name));
    if (endedAt === undefined) continue;
    const step = { specialist: 'archivist', kind: 'act', verb: 'archive', subject: id, target: name } as const;
    if (story) {
      if (!there.has(`${id}.md`) && (await archived(files, setting, id))) steps.push({ ...step, rule: 'its task is in the archive already', evidence: `queue/done/${name} stands alone` });
    } else if (clock.wallMs() - endedAt >= config.keepMs) steps.push({ ...step, rule: `done for longer than keep: (${formatDuration(config.keepMs)})`, evidence: `it ended at ${new Date(endedAt).toISOString()}` });
  }
  return steps;
}

async function archived(files: CleanupPorts['files'], { layout }: CleanupSetting, id: string): Promise<boolean> {
  for (const month of await files.list(layout.archive)) if (await files.exists(join(layout.archive, month, `${id}.md`))) return true;
  return false;
}

/** One rename a file. Something of that name in the archive is never written over: it may be all that is left of an earlier run. */
async function move({ files }: CleanupPorts, setting: CleanupSetting, name: string, atMs: number): Promise<Applied['kind']> {
  const to = placeOf(setting, atMs, name);
  if (await files.exists(to)) return 'refused';
  await files.makeDir(join(setting.layout.archive, monthOf(atMs)));
  return (await files.rename(join(setting.layout.dir('done'), name), to)) === 'ok' ? 'done' : 'gone';
}

/** Done tasks of long ago, with their stories, into monthly directories. They stay done, and are found. */
export const archivist: Specialist = {
  name: 'archivist',
  does: 'moves tasks that were done longer ago than keep: to queue/archive/, with their stories',
  plan: planArchive,
  apply: async (ports, setting, { subject, target }) => {
    const told = { specialist: 'archivist', subject } as const;
    const done = setting.layout.dir('done');
    const endedAt = await ports.files.mtimeMs(join(done, target));
    if (endedAt === undefined) return { ...told, kind: 'gone', told: 'it is not in done/ any more' };
    const kind = await move(ports, setting, target, endedAt);
    if (kind === 'refused') return { ...told, kind, told: `queue/archive/${monthOf(endedAt)}/${target} is there already: move one of the two away` };
    if (kind === 'done' && !target.endsWith(STORY) && (await ports.files.exists(join(done, `${subject}${STORY}`)))) await move(ports, setting, `${subject}${STORY}`, endedAt);
    return { ...told, kind, told: kind === 'done' ? `now in queue/archive/${monthOf(endedAt)}/` : 'somebody else took it' };
  },
};
