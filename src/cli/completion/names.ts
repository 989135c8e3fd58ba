import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SPECIALISTS } from '../../cleanup/specialist.js';
import { specialistNames } from '../../config/specialist-names.js';
import { QUEUE_STATES, type Layout, type QueueState } from '../../protocol/layout.js';
import type { Files } from '../../lib/files.js';
import { parseClaim } from '../../protocol/names.js';
import { listState } from '../../queue/locate.js';
import type { Candidate } from './wanted.js';

/** Where the tasks are that a command takes; a command that is not here takes any. */
const STATES: Readonly<Record<string, readonly QueueState[]>> = {
  retry: ['failed', 'stuck'],
  rerun: ['done'],
  answer: ['needs'],
  release: ['held'],
  hold: ['ready', 'waiting'],
  cancel: ['ready', 'waiting', 'held', 'claimed', 'stuck', 'needs'],
  attach: ['claimed'],
  nudge: ['claimed'],
  ping: ['claimed'],
};

const WORD: Partial<Record<QueueState, string>> = { claimed: 'running', needs: 'asks' };

/** Names come from files that anybody may have made: what would need quoting in a shell is not offered. */
const PLAIN = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** The names of what lives in a pit, from directory listings alone, so that a key press is answered at once; only the agents of `specialists:` stand in a file. `given`: the words before it. */
export async function liveNames(files: Files, layout: Layout | undefined, of: string, command: string, given: readonly string[] = []): Promise<Candidate[]> {
  if (of === 'agent') return shippedProfiles();
  if (of === 'specialist') return [...SPECIALISTS.map((value) => ({ value, about: '' })), ...plain(layout === undefined ? [] : await specialistNames((await files.read(layout.configFile)) ?? ''), 'of specialists')];
  if (layout === undefined) return [];
  if (of === 'step') return stepsOf(files, layout, given[0] ?? '');
  if (of === 'template') return plain(endingWith(await files.list(layout.recurring), '.md'), 'template');
  if (of === 'account') return plain(endingWith(await files.list(layout.breakers), '.json'), 'account');
  const found: Candidate[] = [];
  for (const state of STATES[command] ?? QUEUE_STATES) {
    for (const task of await listState(files, layout, state)) {
      const claim = state === 'claimed' ? parseClaim(task.file.slice(task.file.lastIndexOf('/') + 1)) : undefined;
      const word = WORD[state] ?? state;
      found.push({ value: task.id, about: claim === undefined ? word : `${word}, by ${claim.owner.snake}` });
    }
  }
  if (of === 'task') return found.filter(({ value }) => PLAIN.test(value));
  const snakes = (await files.list(layout.snakes)).map((name) => name.slice(0, Math.max(0, name.indexOf('~'))));
  const person = of === 'word' ? [{ value: 'person', about: 'you' }] : [];
  return [...found, ...plain([...new Set(snakes)], 'snake'), ...plain(await files.list(layout.residents), 'resident'), ...person].filter(({ value }) => PLAIN.test(value));
}

/** The steps that had a session in any attempt of a task. */
async function stepsOf(files: Files, { runs }: Layout, task: string): Promise<Candidate[]> {
  if (!PLAIN.test(task)) return [];
  const found = new Set<string>();
  const attempts = (await files.list(join(runs, task))).filter((name) => /^\d{3,}-/.test(name));
  for (const run of attempts) for (const step of await files.list(join(runs, task, run, 'steps'))) found.add(step.replace(/^\d+-/, '').replace(/-r\d+$/, ''));
  return plain([...found], `step of ${task}`);
}

const endingWith = (names: readonly string[], ending: string): string[] => names.filter((name) => name.endsWith(ending)).map((name) => name.slice(0, -ending.length));
const plain = (names: readonly string[], about: string): Candidate[] => names.filter((name) => PLAIN.test(name)).sort().map((value) => ({ value, about }));

/** A person's own profiles stand in snakepit.yaml, which is not read here. */
const shippedProfiles = (): Candidate[] => plain(endingWith(readdirSync(fileURLToPath(new URL('../../../profiles/', import.meta.url))), '.yaml'), 'profile');
