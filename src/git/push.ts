import { err, ok, type Result } from '../lib/result.js';
import { complaint, printed, type Git } from './run.js';

const NETWORK_MS = 300_000;

/** Where a branch stands at a remote; undefined: it is not there. An error: the remote did not answer. */
export async function remoteTip(git: Git, dir: string, remote: string, branch: string): Promise<Result<string | undefined, string>> {
  const ran = await git(dir, ['ls-remote', '--heads', '--', remote, `refs/heads/${branch}`], { timeoutMs: NETWORK_MS, network: true });
  const said = printed(ran);
  if (said === undefined) return err(complaint(ran));
  return ok(said.split('\n').find((line) => line.endsWith(`\trefs/heads/${branch}`))?.split('\t')[0]);
}

/** What of the repository's own configuration would start a program, or lead elsewhere, when it is pushed: an agent may have written it. */
const STARTS = /^(core\.(sshcommand|askpass|gitproxy)|credential\..*|http\..*|url\..*|remote\..*\.(receivepack|uploadpack|vcs|proxy|pushurl|mirror)|gpg\..*)$/i;

/** The names of such settings; a person keeps them in a configuration of their own. An error: git did not say. */
export async function pushSettings(git: Git, dir: string): Promise<Result<string[], string>> {
  const found: string[] = [];
  for (const scope of ['--local', '--worktree']) {
    const ran = await git(dir, ['config', scope, '--list', '-z', '--name-only', '--includes']);
    const said = printed(ran);
    // Without worktree configurations that scope is the local one, and a bare answer is an error of ours.
    if (said === undefined && scope === '--local') return err(complaint(ran));
    found.push(...(said ?? '').split('\0').filter((name) => STARTS.test(name)));
  }
  return ok([...new Set(found)]);
}

/** Pushes one commit as one branch, from exactly where the branch stood there (undefined: it must not be there). Nothing else goes: no tag, no submodule. An error: git's words. */
export async function pushBranch(git: Git, dir: string, remote: string, branch: string, to: string, from: string | undefined): Promise<Result<void, string>> {
  const flags = ['--porcelain', '--no-verify', '--no-signed', '--no-follow-tags', '--no-atomic', '--recurse-submodules=no', `--force-with-lease=refs/heads/${branch}:${from ?? ''}`];
  const ran = await git(dir, ['push', ...flags, '--', remote, `${to}:refs/heads/${branch}`], { timeoutMs: NETWORK_MS, network: true });
  if (printed(ran) !== undefined) return ok(undefined);
  const refused = ran.kind === 'ended' ? /^!\t[^\t]*\t(.*)$/m.exec(ran.stdout)?.[1] : undefined;
  return err(refused ?? complaint(ran));
}
