import * as fs from 'node:fs';
import { join } from 'node:path';
import { COMMIT, gitIn } from '../../rig/repo.js';
import { DONE, FAILED, inLine, NEEDS, nothing, quickly, snakeLife, worked, type Actor } from './acts.js';
import type { Ended, Stage } from './stage.js';

/* What becomes of a task's branch: merged by its snake, by a person, proposed, rejected. */

/** A task that commits a file in its worktree. */
export const commits = (stage: Stage, head = '', ...more: readonly string[]): string =>
  quickly(stage).replace('workspace: scratch\nmerge: none\n', head).replace('exit 0\n~~~', ['[ -e made.txt ] || {', 'echo made > made.txt', 'git add made.txt', `${COMMIT} made`, '}', ...more, 'exit 0', '~~~'].join('\n'));

/** One merge of the one branch, with what was made in it. */
function mergedOnce({ pit: { root, layout } }: Stage): string[] {
  const merges = gitIn(root, 'log', '--merges', '--format=%H', 'snakepit-main').split('\n').filter((line) => line !== '').length;
  const made = gitIn(root, 'show', 'snakepit-main:made.txt');
  const left = fs.existsSync(layout.merging) ? fs.readdirSync(layout.merging).join() : '';
  return [...(merges === 1 ? [] : [`it was merged ${merges} times`]), ...(made === 'made\n' ? [] : [`merged was: ${made}`]), ...(left === '' ? [] : [`checkouts of merged trees are left: ${left}`])];
}

function mergedAndTold(stage: Stage): string[] {
  const story = fs.readFileSync(join(stage.pit.layout.dir('done'), 'x.result.md'), 'utf8');
  return [...mergedOnce(stage), ...(/\*\*merged\*\*: into snakepit-main as /.test(story) ? [] : [`its story does not say that it is merged: ${story}`])];
}

/** All that a rejected task made is kept; nothing else is left of it. */
function keptAside({ pit: { root, layout } }: Stage): string[] {
  const refs = gitIn(root, 'for-each-ref', '--format=%(refname)', 'refs/snakepit/rejected').trim().split('\n');
  const kept = refs[0] === '' || refs[0] === undefined ? [] : [gitIn(root, 'show', `${refs[0]}:made.txt`), gitIn(root, 'show', 'refs/snakepit/salvage/x:loose.txt')];
  const branch = gitIn(root, 'branch', '--list', 'snakepit/x').trim();
  const left = fs.readdirSync(layout.worktrees).join();
  return [
    ...(refs.length === 1 && kept.join() === 'made\n,loose\n' ? [] : [`kept are ${refs.join()}: ${kept.join()}`]),
    ...(branch === '' ? [] : [`its branch is left: ${branch}`]),
    ...(left === '' ? [] : [`its worktree is left: ${left}`]),
  ];
}

/** The words of the one person in the one attempt that they were meant for. */
function saidOnce({ pit: { root } }: Stage): string[] {
  const said = gitIn(root, 'show', 'snakepit/x:said.txt');
  return said === 'smaller\n' ? [] : [`what its author was told: ${said}`];
}

/** A gh that keeps its pull requests in a file, one line each. */
function layGh(stage: Stage): void {
  const [dir, all] = [stage.pit.beside('gh-bin'), stage.pit.beside('pull-requests')];
  fs.mkdirSync(dir, { recursive: true });
  fs.writeFileSync(join(dir, 'gh'), `#!/bin/sh
if [ "$2" = create ]; then
  echo opened >> '${all}'
  echo https://example.org/pull/1
elif [ -e '${all}' ]; then
  printf '%s' '[{"url":"https://example.org/pull/1","state":"OPEN","headRefOid":""}]'
else printf '[]'; fi
`, { mode: 0o755 });
  stage.path = `${dir}:${stage.path}`;
}

function layRemote({ pit }: Stage): void {
  const remote = pit.beside('remote.git');
  fs.mkdirSync(remote);
  gitIn(remote, 'init', '-q', '--bare');
  gitIn(pit.root, 'remote', 'add', 'origin', remote);
}

function proposedOnce({ pit }: Stage): string[] {
  const opened = fs.readFileSync(pit.beside('pull-requests'), 'utf8').split('\n').length - 1;
  const there = gitIn(pit.beside('remote.git'), 'for-each-ref', '--format=%(objectname)').trim();
  const story = fs.readFileSync(join(pit.layout.dir('done'), 'x.result.md'), 'utf8');
  return [
    ...(opened === 1 ? [] : [`${opened} pull requests were opened`]),
    ...(there === gitIn(pit.root, 'rev-parse', 'snakepit/x').trim() ? [] : [`at the remote stands ${there}`]),
    ...(story.includes('https://example.org/pull/1') ? [] : [`its story does not name it: ${story}`]),
  ];
}

/** Parked by its merge: the branch that it goes into is checked out. */
async function parked(stage: Stage): Promise<void> {
  gitIn(stage.pit.root, 'branch', 'snakepit-main', 'main');
  await worked(stage, commits(stage), NEEDS);
}

/** The check of a merged tree ends the command that runs it, once, and goes on by itself. */
const KILLS = (stage: Stage): string => `[ ! -e '${stage.pit.beside('deadly')}' ] || { rm '${stage.pit.beside('deadly')}'; kill -9 $PPID; exec sleep 900; }`;
async function killedInCheck(stage: Stage): Promise<Ended> {
  const ended = await stage.cli(['merge', 'x']);
  return ended.signal === 'SIGKILL' ? { ...ended, signal: null, code: 0 } : { ...ended, code: 99 };
}
const doneWithCheck = async (stage: Stage): Promise<void> => {
  await worked(stage, commits(stage, `verify: [${JSON.stringify(KILLS(stage))}]\n`), DONE);
  fs.writeFileSync(stage.pit.beside('deadly'), '');
};
const sayMerge = (stage: Stage): Promise<Ended> => stage.cli(['merge', 'x']);
const BY_HAND = { repo: true, more: ['merge: none'] } as const;

export const MERGES = {
  merging: {
    repo: true,
    more: ['merge: no-ff'],
    arrange: (stage) => inLine(stage, commits(stage)),
    act: (stage, stop, list) => snakeLife(stage, DONE, stop, list),
    again: nothing,
    goals: DONE,
    also: mergedOnce,
  },
  'merge-by-hand': {
    ...BY_HAND,
    arrange: (stage) => worked(stage, commits(stage, 'verify: [test -e made.txt]\n'), DONE),
    act: (stage, stop, list) => stage.cli(['merge', 'x'], stop, list),
    again: sayMerge,
    goals: DONE,
    also: mergedAndTold,
  },
  'merge-parked': {
    repo: true,
    more: ['merge: no-ff', 'into: main'],
    arrange: parked,
    act: (stage, stop, list) => stage.cli(['merge', 'x', '--into', 'snakepit-main'], stop, list),
    again: (stage) => stage.cli(['merge', 'x', '--into', 'snakepit-main']),
    goals: DONE,
    also: mergedAndTold,
  },
  'merge-killed-in-check': {
    ...BY_HAND,
    arrange: doneWithCheck,
    act: killedInCheck,
    again: sayMerge,
    goals: DONE,
    also: mergedAndTold,
  },
  'merge-killed-for-cleanup': {
    ...BY_HAND,
    arrange: doneWithCheck,
    act: killedInCheck,
    again: (stage) => stage.cli(['cleanup']),
    goals: DONE,
  },
  reject: {
    ...BY_HAND,
    arrange: async (stage) => {
      await worked(stage, commits(stage), DONE);
      fs.writeFileSync(join(stage.pit.layout.worktrees, 'x', 'loose.txt'), 'loose\n');
    },
    act: (stage, stop, list) => stage.cli(['reject', 'x', 'not so'], stop, list),
    again: (stage) => stage.cli(['reject', 'x', 'not so']),
    goals: FAILED,
    also: keptAside,
  },
  'reject-again': {
    ...BY_HAND,
    arrange: (stage) => worked(stage, commits(stage, '', 'if [ -n "$SNAKEPIT_ANSWER" ]; then', 'printf "%s\\n" "$SNAKEPIT_ANSWER" >> said.txt', 'git add said.txt', `${COMMIT} said`, 'fi'), DONE),
    act: (stage, stop, list) => stage.cli(['reject', 'x', '--again', 'smaller'], stop, list),
    again: (stage) => stage.cli(['reject', 'x', '--again', 'smaller']),
    goals: DONE,
    also: saidOnce,
  },
  proposing: {
    repo: true,
    more: ['merge: pull-request', 'push: {remote: origin}'],
    arrange: async (stage) => {
      layRemote(stage);
      layGh(stage);
      await inLine(stage, commits(stage));
    },
    act: (stage, stop, list) => snakeLife(stage, DONE, stop, list),
    again: nothing,
    goals: DONE,
    also: proposedOnce,
  },
} as const satisfies Readonly<Record<string, Actor>>;
