import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { identify } from '../../src/lib/linux-processes.js';
import { fileOf, hasEnded, head, isIn, sh, story, Terminal, withPit } from '../integration/rig.js';
import { askingPit, how, told } from '../rig/asking.js';
import { QUICK, type Pit } from '../rig/pit.js';
import { COMMIT, gitIn, seedRepo } from '../rig/repo.js';

/* Keys whose work only a real terminal and real sessions show; and a terminal that is given back. */

const WAIT_MS = 60_000;
let dir = '';
beforeAll(() => {
  dir = fs.mkdtempSync(join(tmpdir(), 'top-keys-'));
});
afterAll(() => fs.rmSync(dir, { recursive: true, force: true }));

const shows = (pit: Pit, terminal: Terminal, what: RegExp): Promise<void> =>
  pit.until(`the screen shows ${what}`, async () => what.test(await terminal.screen()), WAIT_MS).catch(async (cause: unknown) => {
    throw new Error(`${String(cause)}\n${await terminal.screen()}`);
  });
async function clean(pit: Pit, terminal: Terminal): Promise<void> {
  await pit.until('the terminal is given back', async () => !(await terminal.alternate()) && (await terminal.told('#{mouse_any_flag} #{cursor_flag} #{wrap_flag}')) === '0 1 1', WAIT_MS);
}
async function hangUp(pit: Pit): Promise<void> {
  let pid = 0;
  await pit.until('top runs', () => (pid = pit.processes().find(({ command }) => command.endsWith(' top') && !command.includes('/bin/sh'))?.process.pid ?? 0) > 0, WAIT_MS);
  if (identify(pid) !== undefined) process.kill(pid, 'SIGHUP');
}
/** Stops and goes on as under a shell with job control. */
const JOBS = 'set -m; "$@"; echo "stopped"; read -r _; fg >/dev/null; exec cat';
const PAGER = 'cat; echo end of page; read -r _ </dev/tty';

describe('top: what keys do to real sessions', () => {
  it('nudge, ping, answer, hold, pager, scale, click, wheel, suspend', () =>
    withPit(askingPit(dir), async (pit) => {
      how(dir, { menu: { ask: 'May I delete the branch?', rows: ['No', 'Yes'] }, doneWhenAnswered: true });
      await pit.up(1);
      pit.dropTask('asks.md', 'Please tidy up.\n');
      await pit.until('it asks', () => isIn(pit, 'needs', 'asks'), WAIT_MS);
      how(dir, { workMs: 600_000, says: ['here I am'] });
      pit.dropTask('works.md', 'Please work.\n');
      await pit.until('it has a session', () => told(dir, 'started').length > 1, WAIT_MS);
      pit.dropTask('later.md', `---\nagent: shell\n---\n${sh('true')}`);
      const terminal = new Terminal(pit, ['top'], { env: { PAGER }, script: JOBS });
      try {
        await terminal.resize(130, 40);
        await shows(pit, terminal, /s1 +\w+ +works/);
        // A line into the session, and one to all.
        await terminal.press('n', 'g', 'o', 'Space', 'o', 'n', 'Enter');
        await pit.until('the nudge was typed', () => told<{ text: string }>(dir, 'submitted').some(({ text }) => text.includes('go on')), WAIT_MS);
        await terminal.press('N', 'h', 'e', 'y', 'Enter');
        await shows(pit, terminal, /works +queued|works +submitted|queued|submitted/);
        // Held, and let go.
        await terminal.press('2');
        await shows(pit, terminal, /ready +later/);
        await terminal.press('h');
        await pit.until('it is held', () => isIn(pit, 'held', 'later'), WAIT_MS);
        await terminal.press('6');
        await shows(pit, terminal, /^(?:held +)?later [^]*h release/m);
        await terminal.press('h');
        await pit.until('it is released', () => isIn(pit, 'ready', 'later'), WAIT_MS);
        // An answer.
        how(dir, { says: ['thank you'], doneWhenAnswered: true });
        await terminal.press('5');
        await shows(pit, terminal, /^asks +.*[^]*# Asks/m);
        await terminal.press('a', 'y', 'e', 's', 'Enter');
        await pit.until('it was answered', () => pit.events().some((event) => event.kind === 'task-answered' && event.answer === 'yes'), WAIT_MS);
        // One snake more takes them both, and one less is wanted again.
        await terminal.press('+');
        await pit.until('both are done', () => hasEnded(pit, 'done', 'later') && hasEnded(pit, 'done', 'asks'), WAIT_MS);
        await terminal.press('-');
        await pit.until('one is wanted', () => pit.snapshot()?.wanted === 1, WAIT_MS);
        // A click on a row selects it; its story, log and diff in the pager.
        // In order of names: times change while stories are being written.
        await terminal.press('3', 'o', 'o');
        await shows(pit, terminal, /^(?:done +)?asks .*\n(?:done +)?later /m);
        const rowOf = async (id: string): Promise<number> => (await terminal.screen()).split('\n').findIndex((line) => new RegExp(`^(?:done +)?${id} `).test(line));
        const row = await rowOf('later');
        await terminal.press('-l', `\u001b[<0;3;${row + 1}M`);
        await terminal.press('s');
        await shows(pit, terminal, /# Done: later[^]*end of page/);
        await terminal.press('Enter');
        await shows(pit, terminal, /q quit/);
        await terminal.press('d');
        await shows(pit, terminal, /end of page/);
        await terminal.press('Enter');
        await shows(pit, terminal, /later has no branch: it worked in no worktree/);
        // The wheel goes by rows: from the first one to the last.
        await terminal.press('Home');
        await terminal.press('-l', `\u001b[<65;3;${row + 1}M`);
        const last = (await rowOf('later')) > (await rowOf('asks')) ? 'later' : 'asks';
        await terminal.press('s');
        await shows(pit, terminal, new RegExp(`runs/${last}/[^]*end of page`));
        await terminal.press('Enter');
        await shows(pit, terminal, /q quit/);
        // Stopped, its terminal is the shell's; and it comes back.
        await terminal.press('C-z');
        await shows(pit, terminal, /stopped/);
        await clean(pit, terminal);
        await terminal.press('Enter');
        await shows(pit, terminal, /q quit/);
      } finally {
        await terminal.close();
      }
      expect(fileOf(pit, 'claimed', 'works')).toContain('works');
    }),
    240_000,
  );

  it('merges and rejects what is done, shows its log in the pager, and rings when a hook does', () =>
    withPit({ bare: true, config: [...QUICK, 'hooks: [{name: desk, on: [task-failed], bell: true}]'] }, async (pit) => {
      seedRepo(pit.root);
      await pit.up(2);
      for (const id of ['good', 'poor']) pit.dropTask(`${id}.md`, sh('set -e', `echo worked on ${id}`, `echo ${id} > ${id}.txt`, 'git add -A', `${COMMIT} "${id}"`));
      const gate = pit.beside('gate');
      fs.writeFileSync(gate, '');
      pit.dropTask('slow.md', `${head(`verify: ["until [ -e ${gate} ]; do sleep 0.1; done"]`)}${sh('set -e', 'echo slow > slow.txt', 'git add -A', `${COMMIT} slow`)}`);
      await pit.until('all are done', () => ['good', 'poor', 'slow'].every((id) => hasEnded(pit, 'done', id)), WAIT_MS);
      fs.rmSync(gate);
      const terminal = new Terminal(pit, ['top'], { env: { PAGER } });
      try {
        await terminal.resize(130, 40);
        await shows(pit, terminal, /q quit/);
        await terminal.press('3', 'o', 'o');
        await shows(pit, terminal, /^(?:done +)?good .*\n(?:done +)?poor /m);
        await terminal.press('Home');
        await shows(pit, terminal, /m merge {2}R reject {2}d diff/);
        await terminal.press('l');
        await shows(pit, terminal, /worked on good[^]*end of page/);
        await terminal.press('Enter');
        await shows(pit, terminal, /q quit/);
        await terminal.press('m');
        await shows(pit, terminal, /merge good\? {2}y: yes/);
        await terminal.press('n');
        await shows(pit, terminal, /left as it is/);
        await terminal.press('m');
        await shows(pit, terminal, /merge good\?/);
        await terminal.press('y');
        await pit.until('it is merged', () => pit.events().some((event) => event.kind === 'task-merged' && event.id === 'good'), WAIT_MS);
        await shows(pit, terminal, /good is merged into snakepit-main as/);
        expect(gitIn(pit.root, 'show', 'snakepit-main:good.txt')).toBe('good\n');
        await pit.until('a second merge is refused', async () => {
          await terminal.press('m');
          return /good is merged *$/m.test(await terminal.screen());
        }, WAIT_MS);
        expect(await terminal.told('#{window_bell_flag}')).toBe('0');
        await terminal.press('Down', 'R');
        await shows(pit, terminal, /reject poor, why:/);
        await terminal.press('t', 'o', 'o', 'Space', 'b', 'i', 'g', 'Enter');
        await shows(pit, terminal, /reject poor\? {2}y: yes/);
        await terminal.press('y');
        await pit.until('it is rejected', () => hasEnded(pit, 'failed', 'poor'), WAIT_MS);
        expect(story(pit, 'failed', 'poor')).toMatch(/after 1 attempt; a person decided\n- \*\*why\*\*: rejected: too big; /);
        await shows(pit, terminal, /poor is rejected; it lies in failed/);
        // The pit tells the hook, and the view hears of it.
        await pit.until('it rang', async () => (await terminal.told('#{window_bell_flag}')) === '1', WAIT_MS);
        // A merge whose checks go on is told of when the view is left, and ended.
        await terminal.press('End', 'm');
        await shows(pit, terminal, /merge slow\?/);
        await terminal.press('y');
        await shows(pit, terminal, /merging slow; its checks may take a while/);
        await terminal.press('q');
        await shows(pit, terminal, /what was begun is being ended; C-c leaves it as it was/);
        fs.writeFileSync(gate, '');
        await shows(pit, terminal, /slow is merged into snakepit-main as[^]*ended with 0/);
      } finally {
        await terminal.close();
      }
    }),
    240_000,
  );

  it('a hangup leaves a clean terminal; NO_COLOR leaves no colour, 16 colours are 16, 256 are 256', () =>
    withPit({}, async (pit) => {
      fs.writeFileSync(join(pit.layout.dir('failed'), 'bad.md'), '# x\n');
      const call = 'env -u TMUX -u COLORTERM -u TERM_PROGRAM TERM="${WANTED:-screen}" "$@"; echo "ended with $?"; exec cat';
      // oxlint-disable-next-line no-control-regex -- colours are what is being sought
      const colour = /\u001b\[[0-9;]*3[1-7]/;
      for (const [env, wanted, never] of [
        [{ NO_COLOR: '1' }, /failed/, colour],
        [{ WANTED: 'xterm' }, colour, /38;5;/],
        [{ WANTED: 'xterm-256color' }, /38;5;/, /38;2;/],
      ] as const) {
        const terminal = new Terminal(pit, ['top'], { env, script: call });
        try {
          await shows(pit, terminal, /q quit/);
          const screen = await terminal.screen('-e');
          expect(screen, JSON.stringify(env)).toMatch(wanted);
          expect(screen, JSON.stringify(env)).not.toMatch(never);
          if ('NO_COLOR' in env) {
            await hangUp(pit);
            await shows(pit, terminal, /ended with/);
            await clean(pit, terminal);
          }
        } finally {
          await terminal.close();
        }
      }
    }),
    120_000,
  );
});
