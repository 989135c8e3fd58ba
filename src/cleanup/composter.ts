import { join, relative } from 'node:path';
import { formatDuration } from '../lib/duration.js';
import { idsOnTheWay } from '../queue/locate.js';
import { pastAttempts } from '../runs/run-dir.js';
import { sessionDirs } from '../runs/steps.js';
import { digest, digestOf, HOME, isDigested, LOGS, type DigestLine } from './digest.js';
import type { CleanupPorts, CleanupSetting } from './ports.js';
import type { Specialist, Step } from './specialist.js';

/** Tasks that have ended, long ago, and whose logs are still there. What is on its way may yet resume a session from them. */
async function planCompost({ files, clock }: CleanupPorts, { layout, config, thorough }: CleanupSetting): Promise<Step[]> {
  if (!thorough) return [];
  const open = await idsOnTheWay(files, layout);
  const steps: Step[] = [];
  for (const id of await files.list(layout.runs)) {
    if (open.has(id)) continue;
    const attempts = await pastAttempts(files, layout, id);
    const endedAt = attempts.at(-1)?.record.endedAt;
    if (endedAt === undefined || clock.wallMs() - endedAt < config.keepLogsMs) continue;
    let logs = (await files.exists(join(layout.homes, id))) ? 1 : 0;
    for (const { dir } of attempts) for (const run of await sessionDirs(files, dir)) logs += (await files.list(run)).filter((name) => LOGS.includes(name)).length;
    if (logs > 0) steps.push({ specialist: 'composter', kind: 'act', verb: 'digest', subject: id, rule: `ended longer ago than keep-logs: (${formatDuration(config.keepLogsMs)})`, evidence: `${logs} logs, the last attempt ended at ${new Date(endedAt).toISOString()}`, target: id });
  }
  return steps;
}

/** The line first, on disk, and only then the log: a crash between the two leaves both. */
async function compost(ports: CleanupPorts, setting: CleanupSetting, line: DigestLine, path: string): Promise<boolean> {
  const { files } = ports;
  const { layout } = setting;
  if (!(await isDigested(files, layout, line))) await digest(files, layout, line);
  // Not to be found although it was written: a full disk. Then the log stays.
  if (!(await isDigested(files, layout, line))) return false;
  await files.remove(path);
  return true;
}

/** Logs into one line each of a running digest, then away with them. Results, stories, records and what an agent made are no logs. */
export const composter: Specialist = {
  name: 'composter',
  does: 'turns logs older than keep-logs: into one line each of .snakepit/digests/, then removes them; never a result',
  plan: planCompost,
  apply: async (ports, setting, { subject, target: id }) => {
    const { files, clock } = ports;
    const { layout } = setting;
    const told = { specialist: 'composter', subject } as const;
    if ((await idsOnTheWay(files, layout)).has(id)) return { ...told, kind: 'gone', told: 'it is on its way again' };
    let removed = 0;
    let kept = 0;
    for (const { dir } of await pastAttempts(files, layout, id)) {
      for (const run of await sessionDirs(files, dir)) {
        for (const log of LOGS) {
          const line = await digestOf(files, run, id, relative(join(layout.runs, id), run), log);
          if (line === undefined) continue;
          if (await compost(ports, setting, line, join(run, log))) removed += 1;
          else kept += 1;
        }
      }
    }
    const home = join(layout.homes, id);
    const entry = await files.inspect(home);
    if (entry !== undefined) {
      const line: DigestLine = { v: 1, id, run: '', log: HOME, bytes: 0, lines: 0, tail: await files.list(home), at: Math.min(entry.mtimeMs, clock.wallMs()) };
      if (await compost(ports, setting, line, home)) removed += 1;
      else kept += 1;
    }
    if (kept > 0) return { ...told, kind: 'refused', told: `${kept} logs could not be digested and are kept: is the disk full?` };
    return { ...told, kind: removed === 0 ? 'gone' : 'done', told: removed === 0 ? 'its logs have gone' : `${removed} logs are one line each now` };
  },
};
