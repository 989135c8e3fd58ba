import { join } from 'node:path';
import { bodyOf, titleOf, type Credits } from '../merging/message.js';
import type { MergeResult } from '../merging/merge.js';
import { propose } from '../merging/propose.js';
import type { Git } from '../git/run.js';
import { parseJson, RUN_FILES, type Changes } from '../protocol/records.js';
import type { MergeRecord } from '../protocol/merging.js';
import type { Claim } from '../queue/store.js';
import { pastAttempts, runDirOf } from '../runs/run-dir.js';
import type { SnakePorts, SnakeSetting } from './ports.js';

/** Pushes a task's branch as `push:` allows, and proposes it. What was pushed is recorded before, and read from all attempts of the task. */
export async function pullRequest(ports: SnakePorts, git: Git, setting: SnakeSetting, claim: Claim, wanted: { readonly dir: string; readonly into: string; readonly changes: Changes; readonly credits: Credits; readonly record: MergeRecord; readonly held: () => Promise<boolean> }): Promise<MergeResult> {
  const { files } = ports;
  const { layout, config, outerEnv } = setting;
  const { into, changes, credits, record } = wanted;
  if (into === '') return { kind: 'ended', end: { kind: 'blocked', into, why: 'it began at no branch that it could be proposed onto: say into: in snakepit.yaml' }, rule: 'a pull request needs a branch' };
  const own = join(runDirOf(layout, claim.name), RUN_FILES.merge);
  const pushed: string[] = [];
  for (const file of [own, ...(await pastAttempts(files, layout, claim.name.id)).map(({ dir }) => join(dir, RUN_FILES.merge))]) {
    const sha = parseJson<MergeRecord>(await files.read(file))?.pushed;
    if (sha !== undefined) pushed.push(sha);
  }
  return propose({ files, git }, {
    dir: wanted.dir, branch: changes.branch, into, head: changes.head, title: titleOf(credits), body: bodyOf(credits), push: config.push, pushed, outerEnv, held: wanted.held,
    record: (head) => files.write(own, `${JSON.stringify({ ...record, pushed: head } satisfies MergeRecord)}\n`),
  });
}
