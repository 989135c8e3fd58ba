import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openContext } from '../../src/cli/context.js';
import { frame } from '../../src/cli/top/frame.js';
import { Observer } from '../../src/cli/top/observe.js';
import { newUi } from '../../src/cli/top/state.js';
import { identify, linuxProcesses } from '../../src/lib/linux-processes.js';
import type { Snapshot } from '../../src/protocol/snapshot.js';
import { hasEnded, isIn, killPit, sh, Terminal, withPit } from '../integration/rig.js';
import type { Pit } from '../rig/pit.js';

const WAIT_MS = 60_000;

/** With a pit of its own and `top` in a terminal, which is closed before the pit is. */
const withTop = (prepare: (pit: Pit) => Promise<void> | void, body: (pit: Pit, terminal: Terminal) => Promise<void>): Promise<void> =>
  withPit({}, async (pit) => {
    await prepare(pit);
    const terminal = new Terminal(pit, ['top']);
    try {
      await body(pit, terminal);
    } finally {
      await terminal.close();
    }
  });
const shows = (pit: Pit, terminal: Terminal, what: RegExp): Promise<void> =>
  pit.until(`the screen shows ${what}`, async () => what.test(await terminal.screen()), WAIT_MS).catch(async (cause: unknown) => {
    throw new Error(`${String(cause)}\n${await terminal.screen()}`);
  });
/** Its own modes are off, and the shell below goes on. */
async function clean(pit: Pit, terminal: Terminal): Promise<void> {
  await pit.until('the alternate screen is left', async () => !(await terminal.alternate()), WAIT_MS);
  expect(await terminal.told('#{mouse_any_flag} #{cursor_flag} #{wrap_flag}')).toBe('0 1 1');
}
/** The view's own process, by its arguments. */
async function pidOf(pit: Pit): Promise<number> {
  let pid = 0;
  await pit.until('top runs', () => (pid = pit.processes().find(({ command }) => command.endsWith(' top') && !command.includes('/bin/sh'))?.process.pid ?? 0) > 0, WAIT_MS);
  return pid;
}
const send = async (pid: number, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
  const one = identify(pid);
  if (one !== undefined) await linuxProcesses.signal(one, signal);
};

/** Of a pit that died, with so many snakes. */
function fakeSnapshot(pit: Pit, snakes: number): void {
  const snapshot: Snapshot = {
    v: 1, at: Date.now(), pit: { pid: 4_194_000, start: '1', boot: '00000000' }, startedAt: Date.now(), mode: 'run', wanted: snakes,
    snakes: Array.from({ length: snakes }, (_, index) => ({ snake: `s${index + 1}`, state: 'up', pid: undefined, why: index % 3 === 0 ? '\u001b[2J\u202e漢字👩‍👩‍👧' : undefined })),
    residents: [], counts: { ready: 0, waiting: 0, held: 0, claimed: 0, reaping: 0, stuck: 0, needs: 0, done: 0, failed: 0 }, configProblem: undefined, tmux: 'up', sessions: 0,
  };
  fs.writeFileSync(pit.layout.snapshot, JSON.stringify(snapshot));
}

/** Times, loads and free space change from one look to the next. */
const still = (text: string): string => text.replace(/\d\d:\d\d:\d\d/g, 'hh:mm:ss').replace(/load .*$/gm, 'load').replace(/ +$/gm, '').trimEnd();

describe('top in a terminal', () => {
  it.each([0, 6, 60])('%i snakes: what stands on the screen is the frame, at every size and after a storm of sizes', (snakes) =>
    withTop((pit) => {
      if (snakes > 0) fakeSnapshot(pit, snakes);
      fs.writeFileSync(join(pit.layout.dir('failed'), 'bad.md'), '# x\n');
      fs.writeFileSync(join(pit.layout.dir('failed'), 'bad.result.md'), '# Failed: x\n\n- **why**: \u001b]0;owned\u0007\u001b[31m \u202e漢字 👍🏽\n');
    }, async (pit, terminal) => {
      await shows(pit, terminal, /project/);
      await terminal.press('3', '4');
      const context = openContext(pit.root);
      for (const [cols, rows] of [[40, 12], [80, 24], [200, 60]] as const) {
        await terminal.resize(cols, rows);
        const expected = async (): Promise<string> => {
          const observer = new Observer(context);
          const ui = { ...newUi(), focus: 'failed' as const, list: 'failed' as const };
          const model = await observer.fill(await observer.look(ui), ui, { cols, rows });
          return still(frame({ ...model, preview: await observer.preview(model, ui) }, { cols, rows }, ui, 'plain').join('\n'));
        };
        await pit.until(`the frame of ${cols}×${rows}`, async () => still(await terminal.screen()) === (await expected()), WAIT_MS).catch(async () => {
          expect(still(await terminal.screen())).toBe(await expected());
        });
      }
      for (let index = 0; index < 40; index += 1) await terminal.resize(20 + ((index * 37) % 180), 4 + ((index * 13) % 56));
      await terminal.resize(80, 24);
      await shows(pit, terminal, /project[^]*failed 1[^]*q quit/);
      await terminal.press('q');
      await shows(pit, terminal, /ended with 0/);
      await clean(pit, terminal);
    }),
    180_000,
  );

  it('a pit that lives, dies and comes back; keys do what they say', () =>
    withTop(async (pit) => {
      await pit.up(2);
      pit.dropTask('long.md', sh('echo so it works', 'while :; do sleep 0.1; done'));
      pit.dropTask('bad.md', `---\nattempts: 1\n---\n${sh('false')}`);
      await pit.until('one has failed', () => hasEnded(pit, 'failed', 'bad') && isIn(pit, 'claimed', 'long'), WAIT_MS);
    }, async (pit, terminal) => {
      await terminal.resize(130, 40);
      await shows(pit, terminal, /running {2}2 snakes[^]*s\d +working +long/);
      // Attach to the one that works, and come back.
      await terminal.press('/', 'l', 'o', 'n', 'g', 'Enter');
      await shows(pit, terminal, /so it works/);
      await terminal.press('a');
      await shows(pit, terminal, /\[snakepit\]/);
      await terminal.press('C-b', 'd');
      await shows(pit, terminal, /a attach {2}n nudge/);
      await terminal.press('Escape');
      // Pause, resume.
      await terminal.press('p');
      await shows(pit, terminal, /PAUSED/);
      expect(fs.existsSync(pit.layout.paused)).toBe(true);
      await terminal.press('p');
      await pit.until('it goes on', () => !fs.existsSync(pit.layout.paused), WAIT_MS);
      // One snake more.
      await terminal.press('+');
      await pit.until('three snakes', () => pit.snapshot()?.wanted === 3, WAIT_MS);
      await shows(pit, terminal, /running {2}3 snakes/);
      // Retry what failed.
      await terminal.press('4');
      await shows(pit, terminal, /failed +bad/);
      await terminal.press('r');
      await pit.until('it was tried again', () => pit.events().some(({ kind }) => kind === 'task-retried'), WAIT_MS);
      // Kill asks first.
      await terminal.press('1', '/', 'l', 'o', 'n', 'g', 'Enter', 'x');
      await shows(pit, terminal, /end long, and all that it runs\?/);
      await terminal.press('n');
      await shows(pit, terminal, /left as it is/);
      expect(isIn(pit, 'claimed', 'long')).toBe(true);
      await terminal.press('x');
      await shows(pit, terminal, /end long/);
      await terminal.press('y');
      await pit.until('it has ended', () => hasEnded(pit, 'failed', 'long'), WAIT_MS);
      await terminal.press('Escape', '4');
      await shows(pit, terminal, /failed +long[^]*cancelled/);
      // The pit dies, and + brings one back.
      await killPit(pit);
      await shows(pit, terminal, /the pit is dead/);
      await terminal.press('+');
      await shows(pit, terminal, /start a new one/);
      await terminal.press('y');
      await shows(pit, terminal, /running {2}3 snakes/);
      // SIGTERM leaves a clean terminal.
      await send(await pidOf(pit), 'SIGTERM');
      await clean(pit, terminal);
    }),
    240_000,
  );
});
