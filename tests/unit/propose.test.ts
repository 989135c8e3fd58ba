import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemGit } from '../../src/git/run.js';
import { nodeFiles } from '../../src/lib/node-files.js';
import { decidePush } from '../../src/merging/decide-push.js';
import { propose, type ProposeRequest } from '../../src/merging/propose.js';
import { gitIn, seedRepo } from '../rig/repo.js';

let top: string;
let repo: string;
let remote: string;
let gh: string;
const PATH = process.env['PATH'] ?? '/usr/bin:/bin';
const git = systemGit({ PATH, HOME: '/nonexistent' });
const calls = (): string[] => (fs.existsSync(join(top, 'calls')) ? fs.readFileSync(join(top, 'calls'), 'utf8').trim().split('\n') : []);

/** A gh that keeps its pull requests in a file. */
const GH = `#!/bin/sh
echo "$1 $2" >> "$GH_DIR/calls"
case "$2" in
  list) if [ -e "$GH_DIR/url" ]; then printf '[{"url":"%s","state":"OPEN","headRefOid":"x"}]' "$(cat "$GH_DIR/url")"; else printf '[]'; fi ;;
  create) echo "$*" > "$GH_DIR/created"; echo https://example.org/pull/7 | tee "$GH_DIR/url" ;;
esac
`;

beforeEach(() => {
  top = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'snakepit-propose-')));
  [repo, remote, gh] = [join(top, 'repo'), join(top, 'remote.git'), join(top, 'bin')];
  for (const dir of [repo, remote, gh]) fs.mkdirSync(dir);
  gitIn(remote, 'init', '-q', '--bare');
  seedRepo(repo);
  gitIn(repo, 'remote', 'add', 'origin', remote);
  gitIn(repo, 'branch', 'snakepit/one', 'main');
  fs.writeFileSync(join(gh, 'gh'), GH, { mode: 0o755 });
});
afterEach(() => fs.rmSync(top, { recursive: true, force: true }));

const head = (): string => gitIn(repo, 'rev-parse', 'snakepit/one').trim();
const at = (branch = 'snakepit/one'): string => gitIn(remote, 'for-each-ref', '--format=%(objectname)', `refs/heads/${branch}`).trim();
/** A commit on the task's branch, in place of what it has since main. */
const work = (text: string, parent = 'main'): void => void gitIn(repo, 'update-ref', 'refs/heads/snakepit/one', gitIn(repo, 'commit-tree', '-p', parent, '-m', text, 'main^{tree}').trim());
const run = async (more: Partial<ProposeRequest> = {}): Promise<string> => {
  const result = await propose({ files: nodeFiles, git }, {
    dir: repo, branch: 'snakepit/one', into: 'main', head: head(), title: 'One; `touch x` $(touch y)', body: 'Snakepit-Task: one\n', push: { remote: 'origin', branches: ['snakepit/*'] }, pushed: [],
    record: async () => undefined, held: async () => true, outerEnv: { PATH: `${gh}:${PATH}`, GH_DIR: top }, ...more,
  });
  if (result.kind !== 'ended') return JSON.stringify(result);
  const { end } = result;
  return end.kind === 'proposed' ? `proposed ${end.url ?? `nothing: ${end.why ?? ''}`}` : end.kind === 'blocked' ? `blocked: ${end.why}` : end.kind;
};

describe('a pull request', () => {
  it('is opened once for a pushed branch, and nothing else is pushed; after a crash anywhere it opens no second', async () => {
    work('first');
    gitIn(repo, 'tag', 'v1', 'snakepit/one');
    expect(await run()).toBe('proposed https://example.org/pull/7');
    expect(gitIn(remote, 'for-each-ref', '--format=%(refname)').trim()).toBe('refs/heads/snakepit/one');
    expect(at()).toBe(head());
    expect(fs.readFileSync(join(top, 'created'), 'utf8')).toContain('pr create --head snakepit/one --base main --title One; `touch x` $(touch y) --body');
    expect(calls()).toEqual(['pr list', 'pr create']);
    expect(await run()).toBe('proposed https://example.org/pull/7');
    expect(calls()).toEqual(['pr list', 'pr create', 'pr list']);
    work('second', 'snakepit/one');
    expect([await run(), at() === head()]).toEqual(['proposed https://example.org/pull/7', true]);
  });

  it('without gh, or where gh fails, the branch is pushed all the same, and why is said', async () => {
    work('first');
    fs.rmSync(join(gh, 'gh'));
    fs.symlinkSync('/bin/false', join(gh, 'gh'));
    expect(await run()).toBe('proposed nothing: gh pr list: status 1');
    fs.rmSync(join(gh, 'gh'));
    const bare = join(top, 'without');
    fs.mkdirSync(bare);
    expect([await run({ outerEnv: { PATH: bare } }), at() === head()]).toEqual(['proposed nothing: gh is not there', true]);
  });

  it('pushes only what the configuration allows, and never over what others pushed', async () => {
    work('first');
    expect(await run({ push: { remote: '', branches: ['*'] } })).toContain('names no remote');
    expect(await run({ push: { remote: 'origin', branches: ['release/*'] } })).toContain('does not allow snakepit/one');
    expect(at()).toBe('');
    expect(await run({ push: { remote: 'nowhere', branches: ['snakepit/*'] } })).toMatch(/"unknown".*nowhere did not answer/);
    const recorded: string[] = [];
    await run({ record: async (sha) => void recorded.push(sha) });
    expect(recorded).toEqual([head()]);
    const mine = head();
    work('rewritten');
    expect(await run()).toBe(`blocked: snakepit/one at origin stands at ${mine.slice(0, 10)}, which is not of this task`);
    expect(at()).toBe(mine);
    // What it pushed itself is replaced, from exactly there.
    expect([await run({ pushed: recorded }), at() === head()]).toEqual(['proposed https://example.org/pull/7', true]);
    expect(await run({ held: async () => false })).toContain('interrupted');
  });

  it('starts no program that the repository\'s own configuration names', async () => {
    work('first');
    gitIn(repo, 'config', 'core.sshCommand', `touch ${join(top, 'ran')}`);
    expect(await run()).toMatch(/^blocked: the repository's own configuration would start a program or lead elsewhere \(core\.sshcommand\)/);
    gitIn(repo, 'config', '--unset', 'core.sshCommand');
    gitIn(repo, 'config', 'core.hooksPath', gh);
    fs.writeFileSync(join(gh, 'pre-push'), `#!/bin/sh\ntouch ${join(top, 'ran')}\nexit 1\n`, { mode: 0o755 });
    expect(await run()).toBe('proposed https://example.org/pull/7');
    expect(fs.existsSync(join(top, 'ran'))).toBe(false);
  });

  it('is decided from what stands at the remote alone', () => {
    const view = { push: { remote: 'origin', branches: ['snakepit/*'] }, branch: 'snakepit/x', head: 'h', at: undefined, onward: false, pushed: [] };
    expect(decidePush(view)).toMatchObject({ kind: 'push', from: undefined });
    expect(decidePush({ ...view, at: 'h' })).toMatchObject({ kind: 'open' });
    expect(decidePush({ ...view, at: 'a', onward: true })).toMatchObject({ kind: 'push', from: 'a' });
    expect(decidePush({ ...view, at: 'a', pushed: ['a'] })).toMatchObject({ kind: 'push', from: 'a' });
    expect(decidePush({ ...view, at: 'a', pushed: ['b'] })).toMatchObject({ kind: 'blocked' });
    for (const branch of ['main', 'xsnakepit/x']) expect(decidePush({ ...view, branch })).toMatchObject({ kind: 'blocked' });
  });
});
