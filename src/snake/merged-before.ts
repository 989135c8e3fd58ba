import { join } from 'node:path';
import { hasLanded } from '../merging/merge.js';
import type { Outcome } from '../protocol/judge.js';
import type { MergeRecord } from '../protocol/merging.js';
import { attemptOf } from '../protocol/names.js';
import { parseJson, RUN_FILES } from '../protocol/records.js';
import type { Claim } from '../queue/store.js';
import { pastAttempts, sameLife } from '../runs/run-dir.js';
import { projectDir } from '../workspace/ground.js';
import type { SnakePorts, SnakeSetting } from './ports.js';

/**
 * A task whose earlier attempt was merged, and died before it could say so, is done: it is not worked again. Undefined: none was. Attempts
 * before the last rerun by hand do not count.
 */
export async function mergedBefore({ files, git }: SnakePorts, { layout, config }: SnakeSetting, claim: Claim): Promise<Outcome | undefined> {
  if (git === undefined) return undefined;
  for (const { dir, record } of sameLife(await pastAttempts(files, layout, claim.name.id), attemptOf(claim.name.counters))) {
    const merge = parseJson<MergeRecord>(await files.read(join(dir, RUN_FILES.merge)));
    if (merge?.candidate?.commit === undefined) continue;
    if ((await hasLanded(git, projectDir(layout, config.repo), merge.into, merge.candidate)) === true) return { kind: 'done', message: `attempt ${record.attempt} was merged into ${merge.into} as ${merge.candidate.commit.slice(0, 10)}` };
  }
  return undefined;
}
