import { join } from 'node:path';
import { formatDuration } from '../lib/duration.js';
import { isTaskFile } from '../protocol/layout.js';
import { archive, archivedFile } from '../queue/archive.js';
import { monthOf } from '../lib/month.js';
import type { CleanupPorts, CleanupSetting } from './ports.js';
import type { Specialist, Step } from './specialist.js';

const STORY = '.result.md';

/** Tasks first, then stories whose task has gone there already: a crash between the two leaves a story behind. */
async function planArchive({ files, clock }: CleanupPorts, { layout, config, thorough }: CleanupSetting): Promise<Step[]> {
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
      if (!there.has(`${id}.md`) && (await archivedFile(files, layout, id)) !== undefined) steps.push({ ...step, rule: 'its task is in the archive already', evidence: `queue/done/${name} stands alone` });
    } else if (clock.wallMs() - endedAt >= config.keepMs) steps.push({ ...step, rule: `done for longer than keep: (${formatDuration(config.keepMs)})`, evidence: `it ended at ${new Date(endedAt).toISOString()}` });
  }
  return steps;
}

/** Done tasks of long ago, with their stories, into monthly directories. They stay done, and are found. */
export const archivist: Specialist = {
  name: 'archivist',
  does: 'moves tasks that were done longer ago than keep: to queue/archive/, with their stories',
  plan: planArchive,
  apply: async ({ files }, { layout }, { subject, target }) => {
    const told = { specialist: 'archivist', subject } as const;
    const endedAt = await files.mtimeMs(join(layout.dir('done'), target));
    const moved = endedAt === undefined ? 'missing' : await archive(files, layout, target, endedAt);
    if (endedAt === undefined || moved === 'missing') return { ...told, kind: 'gone', told: 'it is not in done/ any more' };
    const where = `queue/archive/${monthOf(endedAt)}/`;
    if (moved === 'taken') return { ...told, kind: 'refused', told: `${where}${target} is there already: move one of the two away` };
    const story = `${subject}${STORY}`;
    if (target !== story && (await files.exists(join(layout.dir('done'), story)))) await archive(files, layout, story, endedAt);
    return { ...told, kind: 'done', told: `now in ${where}` };
  },
};
