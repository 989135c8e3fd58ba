import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { QUICK } from '../rig/pit.js';
import { randomFrom } from '../rig/random.js';
import { checkout, COMMIT, gitIn, seedRepo } from '../rig/repo.js';
import { TEST_SEED } from '../rig/seed.js';
import { head, sh, story, withPit } from '../integration/rig.js';

const MS = 600_000;
const TASKS = Number(process.env['MERGE_TASKS'] ?? 30);
const FEW = Math.min(TASKS, 4);
const INTO = 'snakepit-main';
const GIT = 'git -c user.name=Agent -c user.email=agent@example.org';

/** Every second task writes to the same place of the same file. Sent back, it joins both sides by itself, as it is told to. */
const task = (id: string, shared: boolean): string =>
  `${head('verify: ["sh check.sh"]')}${sh(
    'set -e',
    `if [ "$SNAKEPIT_ATTEMPT" != 1 ]; then tip=$(git rev-parse ${INTO}); ${GIT} merge -q "$tip" || { { git show "HEAD:shared.txt"; git show "$tip:shared.txt"; } | sort -u > shared.txt; git add -A; ${GIT} commit -qm joined; }; fi`,
    shared ? `grep -qx ${id} shared.txt || echo ${id} >> shared.txt` : `echo ${id} > ${id}.txt`,
    `git add -A; git diff --cached --quiet || ${COMMIT} "work of ${id}"`,
  )}`;

describe('many tasks on one repository', () => {
  it.each([
    ['undisturbed', 'no-ff', TASKS, false],
    ['while snakes and the pit are killed again and again', 'no-ff', TASKS, true],
    ['only forward', 'ff', FEW, false],
    ['commit by commit', 'rebase', FEW, false],
  ])('are merged one by one, each exactly once, good at every merge: %s (%s)', (_name, mode, count, kills) =>
    withPit({ bare: true, config: [...QUICK, `merge: ${mode}`, 'fix-rounds: 20'] }, async (pit) => {
      gitIn(pit.root, 'init', '-q');
      fs.writeFileSync(join(pit.root, 'shared.txt'), 'first\n');
      // The project's test: nothing twice, and no mark of a conflict.
      fs.writeFileSync(join(pit.root, 'check.sh'), 'test -z "$(sort shared.txt | uniq -d)" && ! grep -q "[<=>][<=>][<=>]" shared.txt\n');
      gitIn(pit.root, 'add', 'shared.txt', 'check.sh');
      gitIn(pit.root, 'commit', '-qm', 'zeroth');
      seedRepo(pit.root);
      const before = checkout(pit.root);
      await pit.up(6);
      const ids = Array.from({ length: count }, (_none, index) => `t${index}`);
      for (const [index, id] of ids.entries()) pit.dropTask(`${id}.md`, task(id, index % 2 === 0));
      const over = (id: string): boolean => story(pit, 'done', id) !== '' || story(pit, 'failed', id) !== '' || fs.existsSync(join(pit.layout.dir('needs'), `${id}.question.md`));
      let killed = 0;
      let nth = 0;
      const random = randomFrom(TEST_SEED);
      await pit.until('all have ended', async () => {
        nth += 1;
        if (kills && killed < 40 && nth % 3 === 0) {
          const snakes = await pit.snakes();
          const victim = snakes[Math.floor(random() * snakes.length)];
          const daemon = nth % 15 === 0 ? await pit.daemon() : undefined;
          if (daemon !== undefined) await pit.kill(daemon);
          else if (victim !== undefined) await pit.kill(victim.process);
          killed += 1;
          if (daemon !== undefined) await pit.ok('up', '-n', '6');
        }
        await new Promise((resolve) => setTimeout(resolve, 500));
        return ids.every(over);
      }, 500_000);
      const told = ids.filter((id) => story(pit, 'done', id) === '').map((id) => `${id}: ${story(pit, 'failed', id)}`);
      expect(told).toEqual([]);
      if (kills) expect(killed).toBeGreaterThan(0);
      const merges = gitIn(pit.root, 'log', '--first-parent', '--reverse', '--format=%H %(trailers:key=Snakepit-Task,valueonly,separator=%x2C)', `main..${INTO}`).trim().split('\n').map((line) => line.split(' '));
      // With ff the commits are the task's own, and bear no trailer; with rebase there may be several of one task.
      const named = merges.map(([, id]) => id).filter((id) => id !== '' && id !== undefined);
      if (mode !== 'ff') expect((mode === 'rebase' ? [...new Set(named)] : named).sort()).toEqual([...ids].sort());
      for (const [sha = ''] of merges) {
        const lines = gitIn(pit.root, 'show', `${sha}:shared.txt`).trim().split('\n');
        expect(new Set(lines).size, sha).toBe(lines.length);
        expect(lines.some((line) => /[<=>]{3}/.test(line)), sha).toBe(false);
      }
      const last = gitIn(pit.root, 'show', `${INTO}:shared.txt`).trim().split('\n');
      for (const [index, id] of ids.entries()) expect(index % 2 === 0 ? last.filter((line) => line === id).length : gitIn(pit.root, 'show', `${INTO}:${id}.txt`).trim()).toBe(index % 2 === 0 ? 1 : id);
      expect(checkout(pit.root)).toEqual(before);
    }), MS);
});
