import * as fs from 'node:fs';
import { join } from 'node:path';
import { nodeFiles } from '../../../src/lib/node-files.js';
import { countTries } from '../../../src/runs/decision.js';
import { composeStory } from '../../../src/runs/publish.js';
import { attemptsOf, auditLeftovers, auditLocks } from '../../chaos/audit.js';
import { whereIs, type Goal } from './acts.js';
import type { Stage } from './stage.js';

/* What must hold when whoever was killed has been followed by whoever repairs, and all work is done. */

/** What a named row says of its task, as it is found. */
export interface Found {
  /** Failures, losses, deferrals in the marker of the last attempt. */
  readonly counters: string;
  readonly starts: number;
}

export async function audit(stage: Stage, goals: readonly Goal[]): Promise<string[]> {
  const { pit, witness } = stage;
  const faults = [...witness.violations().map((one) => `two at once: ${one}`), ...(await auditLocks(pit)), ...auditLeftovers(pit)];
  for (const session of await stage.sessions()) faults.push(`a tmux session is left: ${session}`);
  for (const name of fs.readdirSync(pit.layout.tmp)) faults.push(`left in queue/tmp/: ${name}`);
  for (const goal of goals) faults.push(...(await auditTask(stage, goal)));
  return [...faults, ...strangers(stage, goals.map(({ id }) => id))];
}

/** Files of queue/ that are no task of ours, its story or its question: a second copy, or its refusal. */
function strangers({ pit: { layout } }: Stage, ids: readonly string[]): string[] {
  const ours = (name: string): boolean => ids.some((id) => [`${id}.md`, `${id}.result.md`, `${id}.question.md`].includes(name) || name.includes(`~${id}~`));
  const found = fs.readdirSync(layout.queue, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile() && !ours(entry.name) && !entry.parentPath.startsWith(layout.recurring));
  return found.map((entry) => `a stranger is in queue/: ${join(entry.parentPath, entry.name)}`);
}

async function auditTask(stage: Stage, { id, state, untried }: Goal): Promise<string[]> {
  const { pit, witness } = stage;
  const where = whereIs(stage, id);
  const faults = where.join() === state ? [] : [`${id} is in ${where.join(' and ') || 'no place'}, not in ${state}`];
  const starts = witness.seen(id, 'start');
  for (const marker of new Set(starts)) if (starts.indexOf(marker) !== starts.lastIndexOf(marker)) faults.push(`${marker} was started twice`);
  const stories = storiesOf(stage, id);
  if (state === 'done' || state === 'failed' || state === 'archive') {
    const attempts = attemptsOf(pit, id).sort((a, b) => a.endedAt - b.endedAt);
    const [story, ...more] = stories;
    if (story === undefined || !story.includes(`/${state}/`) || more.length > 0) faults.push(`its stories are ${stories.join(', ') || 'none'}`);
    const told = story === undefined ? '' : fs.readFileSync(story, 'utf8');
    if (!told.startsWith(state === 'failed' ? '# Failed' : '# Done')) faults.push(`its story says: ${told.split('\n')[0] ?? ''}`);
    // The same records give the same text; once its logs are digested, its last lines are not among them.
    if (state !== 'archive' && told !== (await composeStory(nodeFiles, pit.layout, state, id))) faults.push(`its story is not whole: ${told}`);
    const said = /after (\d+) attempts?(?:; a person decided)?$/m.exec(told)?.[1];
    if (untried === true) return attempts.length === 0 ? faults : [...faults, 'it was tried'];
    const tries = countTries(attempts);
    if (said !== String(tries)) faults.push(`its story tells of ${said ?? 'no'} attempts, there were ${tries}`);
    if (attempts.at(-1)?.next.kind !== (state === 'failed' ? 'failed' : 'done')) faults.push(`its last attempt is recorded as ${attempts.at(-1)?.next.kind ?? 'nothing'}`);
  } else if (stories.length > 0) faults.push(`it has not ended, and has a story: ${stories.join(', ')}`);
  const question = join(pit.layout.dir('needs'), `${id}.question.md`);
  if (fs.existsSync(question) !== (state === 'needs')) faults.push(state === 'needs' ? 'its question is not there' : 'a question is left in needs/');
  return faults;
}

function storiesOf({ pit: { layout } }: Stage, id: string): string[] {
  const archived = fs.existsSync(layout.archive) ? fs.readdirSync(layout.archive, { recursive: true, encoding: 'utf8' }).map((name) => join(layout.archive, name)) : [];
  return [...(['done', 'failed'] as const).map((state) => join(layout.dir(state), `${id}.result.md`)), ...archived].filter((path) => path.endsWith(`/${id}.result.md`) && fs.existsSync(path));
}

export function found(stage: Stage, id: string): Found {
  return { counters: attemptsOf(stage.pit, id).sort((a, b) => a.endedAt - b.endedAt).at(-1)?.marker.split('~')[1] ?? '', starts: stage.witness.seen(id, 'start').length };
}
