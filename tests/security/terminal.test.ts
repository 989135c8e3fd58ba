import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { call, envOf, head, sh, Terminal, withPit } from '../integration/rig.js';
import { Pit, QUICK } from '../rig/pit.js';

/*
 * Each attack would leave a file where everything can see it, type into a pane, or change what the screen shows. Looked for: that it
 * did not, and that its text stands there, escaped.
 */

/** Everything at once, as one line: formats and commands of tmux, shell, option, end of a bracketed paste, clipboard, title, DCS, C1, bidi. */
const attack = (canary: string, tag: string): string =>
  `${tag} #(touch ${canary}) #{E:@x} $(touch ${canary}) \`touch ${canary}\` ;touch ${canary}; -t evil --exec=${tag} \u001b[201~touch ${canary}\u001b]52;c;Y2FuYXJ5\u0007\u001b]0;OWNED\u0007\u001bkOWNED\u001b\\\u001bP1$r0m\u001b\\\u001b[2J\u001b[H\u009b2J\u202egpj.exe`;

// oxlint-disable-next-line no-control-regex -- controls are what is being looked for
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

describe('hostile texts', () => {
  it('in names, titles, prompts, notes, results, failures and output run nothing and paint nothing, in any command or screen', async () => {
    const top = new Pit({ config: QUICK });
    const canaries = top.beside('canaries');
    fs.mkdirSync(canaries);
    let number = 0;
    const canary = (): string => join(canaries, String((number += 1)));
    const evil = (tag: string): string => attack(canary(), tag);
    const shown = new Map<string, string>();
    try {
      await top.ok('init');
      // By their file names, their titles, their own words, their output, their results, what they fail with.
      const quoted = (text: string): string => JSON.stringify(text).replaceAll('\u009b', '\\u009b').replaceAll('\u202e', '\\u202e');
      const emit = (text: string): string => `printf '%b' '${[...Buffer.from(text)].map((byte) => `\\0${byte.toString(8).padStart(3, '0')}`).join('')}'`;
      const name = `x ${evil('NAME').replaceAll('/', '_').slice(0, 200)}.md`;
      top.dropTask(name, sh('true'));
      top.dropTask('titled.md', head(`title: ${quoted(evil('TITLE').slice(0, 76))}`) + sh('true'));
      top.dropTask('headed.md', `# ${evil('HEADING')}\n${sh('true')}`);
      top.dropTask('says.md', sh(`${emit(evil('OUTPUT'))}; snakepit note "$(${emit(evil('NOTE'))})"; snakepit done "$(${emit(evil('RESULT'))})"`));
      top.dropTask('fails.md', head('attempts: 1') + sh(`${emit(evil('LAST'))}; snakepit fail --final "$(${emit(evil('FAILURE'))})"`));
      top.dropTask('checked.md', head('attempts: 1', `verify: ${quoted(`${emit(evil('VERIFY'))}; false`)}`) + sh('true'));
      top.dropTask('-rf.md', sh('true'));
      top.dropTask('refused.md', head(`attempts: ${quoted(evil('REFUSED'))}`) + sh('true'));
      top.dropTask('broken.md', `---\n\u001b]0;OWNED\u0007: [${evil('YAML')}\n---\n${sh('true')}`);
      top.dropTask('unknown.md', head(`${quoted(evil('KEY').slice(0, 100))}: 1`) + sh('true'));
      top.dropTask('agents.md', head(`agent: ${quoted(evil('AGENT'))}`) + 'Work.');
      top.dropTask('runs.md', sh(`${emit(evil('SCREEN'))}; touch '${top.beside('looked')}'; while ! [ -e '${top.beside('go')}' ]; do sleep 0.1; done`));
      await top.up(3);
      await top.until('all but one have ended', () => top.files('ready').length + top.files('waiting').length === 0 && fs.existsSync(top.beside('looked')) && top.files('claimed').length === 1 && fs.readdirSync(top.layout.queue).filter((one) => one.endsWith('.md')).length === 0, 60_000);

      const ids = ['titled', 'headed', 'says', 'fails', 'checked', 'refused', 'broken', 'unknown', 'agents', 'runs', name];
      for (const command of [['ls'], ['status'], ['top', '--once'], ['events'], ['needs'], ['recurring'], ...ids.flatMap((id) => [['show', '--', id], ['logs', '--', id], ['explain', '--', id]])]) {
        const { stdout, stderr } = await top.cli(...command);
        shown.set(command.join(' '), stdout + stderr);
        expect(stdout + stderr, command.join(' ')).not.toMatch(CONTROLS);
      }
      const all = [...shown.values()].join('\n');
      for (const tag of ['NAME', 'HEADING', 'OUTPUT', 'NOTE', 'RESULT', 'LAST', 'FAILURE', 'VERIFY', 'KEY', 'AGENT', 'SCREEN']) expect(all, tag).toMatch(new RegExp(`${tag} #\\(touch`, 'i'));
      expect(all).toContain('·[201~touch');
      for (const [command, json] of [['ls', await top.ok('ls', '--json')], ['show', await top.ok('show', 'says', '--json')], ['status', await top.ok('status', '--json')]]) {
        expect(json, command).not.toMatch(CONTROLS);
        expect(() => JSON.parse(json ?? '') as unknown).not.toThrow();
      }

      // On a real terminal: what tmux thinks of the pane that ran our commands.
      for (const args of [['show', 'says'], ['show', 'fails'], ['logs', 'says'], ['explain', 'fails'], ['ls'], ['top'], ['events']]) {
        const terminal = new Terminal(top, args);
        try {
          await top.until(`${args.join(' ')} is on the screen`, async () => (args[0] === 'top' ? /\bruns\b/ : /ended with/).test(await terminal.screen()), 60_000);
          expect(await terminal.screen()).not.toMatch(/OWNED\n*$/);
          const socket = top.beside(fs.readdirSync(top.beside('.')).filter((one) => /^terminal-\d+\.sock$/.test(one)).sort((a, b) => Number(/\d+/.exec(b)?.[0]) - Number(/\d+/.exec(a)?.[0]))[0] ?? '');
          const ask = (...words: string[]): string => execFileSync('tmux', ['-S', socket, ...words], { encoding: 'utf8', env: envOf(top) });
          expect(ask('display-message', '-p', '-t', 't', '#{pane_title} #{window_name}')).not.toContain('OWNED');
          expect(ask('list-buffers')).toBe('');
        } finally {
          await terminal.close();
        }
      }

      // The pit's own tmux server, with a person's terminal attached: title, buffer, status line.
      const pits = (...words: string[]): string => execFileSync('tmux', ['-S', top.layout.tmuxSocket, ...words], { encoding: 'utf8', env: envOf(top) });
      const attached = new Terminal(top, ['attach', 'runs']);
      try {
        await top.until('it is attached', async () => (await attached.screen()).includes('[snakepit]'), 30_000);
        await call(top, ['nudge', 'runs', evil('NUDGE')]);
        expect((await attached.screen()).split('\n').at(-2) ?? '').toMatch(/^\[snakepit\] .*detach: C-b d/);
        expect(pits('list-buffers')).toBe('');
        expect(pits('list-sessions', '-F', '#{session_name}').trim()).toMatch(/^sp-[0-9a-z]{10}$/);
        expect(pits('list-windows', '-a', '-F', '#{window_name}')).not.toContain('OWNED');
        expect(pits('show-options', '-g')).not.toContain('OWNED');
      } finally {
        await attached.close();
      }
      fs.writeFileSync(top.beside('go'), '');
      await top.until('the last has ended', () => top.files('claimed').length === 0);
      expect(fs.readdirSync(canaries)).toEqual([]);
    } finally {
      await top.dispose();
    }
  }, 400_000);

  it('a directory whose name is an attack runs nothing', async () => {
    await withPit({ bare: true, config: QUICK }, async (pit) => {
      const evil = join(pit.root, `a'"; $(touch ran) #(touch ran) #{E:@x} %H "<>|\u001b]0;OWNED\u0007`);
      fs.mkdirSync(evil);
      fs.copyFileSync(pit.layout.configFile, join(evil, 'snakepit.yaml'));
      const say = (...args: string[]): ReturnType<typeof call> => call(pit, ['-C', evil, ...args], { here: true });
      try {
        expect(await say('init')).toMatchObject({ code: 0 });
        fs.writeFileSync(join(evil, 'queue', 'one.md'), sh('echo worked'));
        expect(await say('up', '-n', '1')).toMatchObject({ code: 0 });
        expect(await say('wait')).toMatchObject({ code: 0 });
        expect((await say('logs', 'one')).stdout).toContain('worked');
        expect((await say('show', 'one')).stdout).toContain('# Done');
      } finally {
        expect(await say('down', '--now')).toMatchObject({ code: 0 });
      }
      const names = fs.readdirSync(pit.beside('.'), { recursive: true, encoding: 'utf8' });
      expect(names.filter((name) => /(^|\/)ran$/.test(name))).toEqual([]);
      expect(fs.existsSync('/ran')).toBe(false);
    });
  }, 120_000);
});

/** The kernel's table of sockets, by inode: what listens. */
function listening(): Set<string> {
  const rows = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n').slice(1) : []));
  return new Set(rows.flatMap((row) => {
    const fields = row.trim().split(/\s+/);
    return fields[3] === '0A' ? [`socket:[${fields[9]}]`] : [];
  }));
}

it('nothing of ours listens on the network', async () => {
  await withPit({ config: QUICK }, async (pit) => {
    pit.dropTask('runs.md', sh('while ! [ -e go ]; do sleep 0.1; done'));
    await pit.up(2);
    await pit.until('it runs', () => pit.files('claimed').length === 1 && pit.processes().some(({ command }) => command.includes('launch.sh')));
    const open = listening();
    const processes = pit.processes();
    expect(processes.length).toBeGreaterThanOrEqual(5);
    const listeners = processes.filter(({ process: { pid } }) => {
      try {
        return fs.readdirSync(`/proc/${pid}/fd`).some((fd) => {
          try {
            return open.has(fs.readlinkSync(`/proc/${pid}/fd/${fd}`));
          } catch {
            return false;
          }
        });
      } catch {
        return false;
      }
    });
    expect(listeners.map(({ command }) => command)).toEqual([]);
    await pit.ok('cancel', 'runs');
  });
});
