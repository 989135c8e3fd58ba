import { join, relative } from 'node:path';
import { regainTree } from '../lib/rights.js';
import { markerOf, parseClaim } from '../protocol/names.js';
import { parseJson, RUN_FILES, type AttemptRecord, type Changes } from '../protocol/records.js';
import type { Claim } from '../queue/store.js';
import { runDirOf } from '../runs/run-dir.js';
import { differences, fingerprint, type Fingerprint } from '../workspace/guard.js';
import { measure } from '../workspace/measure.js';
import { readWorkspace } from '../workspace/record.js';
import type { SnakePorts, SnakeSetting } from './ports.js';

/** What the pit itself writes in the project's checkout, from its top. */
const ours = (top: string, paths: readonly string[]): string[] => paths.map((path) => relative(top, path)).filter((path) => path !== '' && !path.startsWith('..'));

const look = ({ files, clock, git }: SnakePorts, { layout }: SnakeSetting, top: string): ReturnType<typeof fingerprint> | undefined =>
  git === undefined ? undefined : fingerprint({ files, clock, git }, top, ours(top, [layout.state, layout.queue, layout.configFile]));

/** The project's checkout as it is before the attempt; kept beside the run. A checkout that cannot be read is not guarded. */
export async function guardCheckout(ports: SnakePorts, setting: SnakeSetting, dir: string, top: string): Promise<void> {
  if (setting.config.guard === 'off') return;
  const seen = await look(ports, setting, top);
  if (seen?.ok === true) await ports.files.write(join(dir, RUN_FILES.checkout), `${JSON.stringify(seen.value)}\n`);
}

/**
 * Measures an attempt whose processes are gone, once, into its run directory. `done`: it ended well, and what it left uncommitted becomes a
 * commit of its branch, so that nothing is lost with the worktree. Undefined: it had no worktree; a text: git did not say.
 */
export async function measureChanges(ports: SnakePorts, setting: SnakeSetting, claim: Claim, attempt: AttemptRecord, done: boolean): Promise<Changes | string | undefined> {
  const { files, git } = ports;
  const { layout } = setting;
  if (attempt.worktree === undefined || git === undefined) return undefined;
  const dir = runDirOf(layout, claim.name);
  const known = parseJson<Changes>(await files.read(join(dir, RUN_FILES.changes)));
  if (known !== undefined) return known;
  const index = join(dir, 'leftovers.index');
  const { branch, base } = attempt.worktree;
  regainTree(attempt.workspace);
  const measured = await measure({ git }, {
    path: attempt.workspace, branch, base, commitLeftovers: done, index,
    message: `snakepit: what ${claim.name.id} left uncommitted\n\nThe session of attempt ${attempt.attempt} ended with these changes in its worktree.\n`,
  });
  for (const left of [index, `${index}.lock`]) await files.remove(left);
  if (!measured.ok) return measured.error;
  const changes: Changes = { ...measured.value, ...(await outside(ports, setting, claim, dir)) };
  await files.write(join(dir, RUN_FILES.changes), `${JSON.stringify(changes)}\n`);
  return changes;
}

async function outside(ports: SnakePorts, setting: SnakeSetting, claim: Claim, dir: string): Promise<Pick<Changes, 'outside' | 'alone'>> {
  const before = parseJson<Fingerprint>(await ports.files.read(join(dir, RUN_FILES.checkout)));
  const record = before === undefined ? undefined : await readWorkspace(ports.files, setting.layout, claim.name.id);
  const after = record === undefined ? undefined : await look(ports, setting, record.repo);
  const found = before === undefined || after?.ok !== true ? [] : differences(before, after.value);
  return { outside: found, alone: found.length === 0 || before === undefined || (await wasAlone(ports, setting, claim, before.at)) };
}

/** Whether no other attempt of the pit ran at any time since then: none is claimed now, and no other run directory was made or ended. */
async function wasAlone({ files }: SnakePorts, { layout }: SnakeSetting, claim: Claim, since: number): Promise<boolean> {
  for (const file of await files.list(layout.dir('claimed'))) {
    const other = parseClaim(file);
    if (other !== undefined && markerOf(other) !== claim.marker) return false;
  }
  for (const id of await files.list(layout.runs)) {
    if (id === claim.name.id) continue;
    for (const run of await files.list(join(layout.runs, id))) if (((await files.mtimeMs(join(layout.runs, id, run))) ?? 0) >= since) return false;
  }
  return true;
}
