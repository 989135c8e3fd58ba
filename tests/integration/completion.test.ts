import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SPECIALISTS } from '../../src/cleanup/specialist.js';
import type { Pit } from '../rig/pit.js';
import { until } from '../rig/until.js';
import { call, CLI, envOf, head, sh, withPit } from './rig.js';

const has = (shell: string): boolean => spawnSync(shell, ['-c', 'true']).status === 0;

/** A directory with a `snakepit` in it, for PATH. */
function onPath(pit: Pit): Record<string, string> {
  const bin = pit.beside('bin');
  fs.mkdirSync(bin, { recursive: true });
  fs.writeFileSync(join(bin, 'snakepit'), `#!/bin/sh\nexec '${process.execPath}' '${CLI}' "$@"\n`, { mode: 0o755 });
  fs.mkdirSync(pit.beside('home'), { recursive: true });
  return { ...envOf(pit), PATH: `${bin}:${process.env['PATH'] ?? '/usr/bin:/bin'}`, TERM: 'screen' };
}

/** A pit with one task of each sort that completion tells apart, and names that must not be offered. */
async function peopled(pit: Pit): Promise<void> {
  for (const id of ['fix-login', 'fix-logout', 'write-docs']) await call(pit, ['add', '--id', id, '-'], { input: sh('true') });
  await call(pit, ['add', '--id', 'later', '-'], { input: head('in: 9h') + sh('true') });
  await pit.ok('hold', 'write-docs');
  fs.writeFileSync(join(pit.layout.dir('failed'), 'broken-one.md'), sh('false'));
  fs.writeFileSync(join(pit.layout.dir('failed'), '$(touch boom);x.md'), sh('false'));
  fs.writeFileSync(join(pit.layout.recurring, 'nightly.md'), `${head('every: 1d')}${sh('true')}`);
}

/** What bash offers, by its own machinery: the sourced script fills COMPREPLY. */
function bash(pit: Pit, ...words: readonly string[]): string[] {
  const script = 'eval "$(snakepit completion bash)"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _snakepit snakepit; printf "%s\\n" "${COMPREPLY[@]}"';
  const out = execFileSync('bash', ['--norc', '-c', script, 'bash', 'snakepit', ...words], { env: onPath(pit), cwd: pit.root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  return out.split('\n').filter((line) => line !== '');
}

let shells = 0;

/** Types into an interactive shell of a tmux of its own, and waits for what then stands there. */
async function typed(pit: Pit, shell: readonly string[], setup: string, keys: string, wanted: RegExp): Promise<void> {
  // One each: a server that is just going down would take the next one's session with it.
  const socket = pit.beside(`shell-${(shells += 1)}.sock`);
  const env = onPath(pit);
  const tmux = (...args: readonly string[]): string => execFileSync('tmux', ['-S', socket, ...args], { env, cwd: pit.root, encoding: 'utf8' });
  tmux('-f', '/dev/null', 'new-session', '-d', '-s', 't', '-x', '100', '-y', '30', '--', ...shell);
  try {
    const screen = (): string => tmux('capture-pane', '-p', '-t', 't');
    tmux('send-keys', '-t', 't', '-l', `${setup}; echo se''t`);
    tmux('send-keys', '-t', 't', 'Enter');
    await until('the shell has its completion', async () => /^set$/m.test(screen()), 120_000);
    tmux('send-keys', '-t', 't', '-l', keys);
    await until('what is typed stands at the prompt', () => screen().includes(keys), 120_000);
    tmux('send-keys', '-t', 't', 'Tab');
    await until(`${shell[0] ?? ''} completes ${keys}`, async () => wanted.test(screen()), 120_000).catch((cause: unknown) => {
      throw new Error(`${String(cause)}; it shows:\n${screen()}`);
    });
  } finally {
    tmux('kill-server');
  }
}

describe('completion', () => {
  it('bash: commands, options, values, and live names, those that the command takes', () =>
    withPit({}, async (pit) => {
      await peopled(pit);
      expect(bash(pit, 'sho')).toEqual(['show']);
      expect(bash(pit, 'up', '--f')).toEqual(['--foreground']);
      expect(bash(pit, 'tokens', '--by', 'ta')).toEqual(['task']);
      expect(bash(pit, 'tokens', '--by', '=', 'ta')).toEqual(['task']);
      expect(bash(pit, 'tokens', '--by', '=')).toEqual(['task', 'step', 'profile', 'account', 'model', 'day']);
      expect(bash(pit, 'show', 'fix-')).toEqual(['fix-login', 'fix-logout']);
      expect(bash(pit, 'show', '')).toEqual(['fix-login', 'fix-logout', 'later', 'write-docs', 'broken-one']);
      expect(bash(pit, 'retry', '')).toEqual(['broken-one']);
      expect(bash(pit, 'release', '')).toEqual(['write-docs']);
      expect(bash(pit, 'hold', 'fix-login', '')).toEqual(['fix-logout', 'later']);
      expect(bash(pit, 'recurring', 'run', '')).toEqual(['nightly']);
      expect(bash(pit, 'agents', 'show', 'cl')).toEqual(['claude']);
      for (const step of ['001-aaaaaaaaaa/steps/01-build', '001-aaaaaaaaaa/steps/02-review', '002-bbbbbbbbbb/steps/01-review-r2', 'story-before']) fs.mkdirSync(join(pit.layout.runs, 'fix-login', step), { recursive: true });
      expect(bash(pit, 'logs', 'fix-login', '--step', '')).toEqual(['build', 'review']);
      expect(bash(pit, 'logs', '--step', '')).toEqual([]);
      expect(bash(pit, 'ping', 'per')).toEqual(['person']);
      expect(bash(pit, '-C', '/nowhere', 'show', '')).toEqual([]);
      expect(bash(pit, '-C', pit.root, 'show', 'wri')).toEqual(['write-docs']);
      expect(bash(pit, 'note', '')).toEqual([]);
      expect(bash(pit, 'cleanup', '--only', '')).toEqual([...SPECIALISTS]);
      fs.appendFileSync(pit.layout.configFile, 'specialists:\n  tidy: {agent: claude, prompt: Tidy up., every: 1d}\n  $(touch boom): {}\n');
      expect(bash(pit, 'cleanup', '--only', 'ti')).toEqual(['tidy']);
      expect(bash(pit, 'cleanup', '--only', 'reaper', 'tidy', 's')).toEqual(['sweeper', 'salvager']);
      fs.appendFileSync(pit.layout.configFile, 'broken: [\n');
      expect(bash(pit, 'cleanup', '--only', 'co')).toEqual(['composter']);
      expect(fs.readdirSync(pit.root)).not.toContain('boom');
    }), 240_000);

  it('a terminal with bash: the word at the cursor is completed, files where files belong', () =>
    withPit({}, async (pit) => {
      await peopled(pit);
      fs.writeFileSync(join(pit.root, 'a-new-task.md'), sh('true'));
      const setup = 'PS1="$ "; eval "$(snakepit completion bash)"';
      await typed(pit, ['bash', '--norc', '-i'], setup, 'snakepit show wri', /snakepit show write-docs $|snakepit show write-docs\s*$/m);
      await typed(pit, ['bash', '--norc', '-i'], setup, 'snakepit add a-n', /snakepit add a-new-task\.md\s*$/m);
    }), 400_000);

  it.skipIf(!has('zsh'))('a terminal with zsh', () =>
    withPit({}, async (pit) => {
      await peopled(pit);
      await typed(pit, ['zsh', '-f', '-i'], 'PS1="$ "; autoload -Uz compinit; compinit -u -D; eval "$(snakepit completion zsh)"', 'snakepit show wri', /snakepit show write-docs\s*$/m);
      await typed(pit, ['zsh', '-f', '-i'], 'PS1="$ "; autoload -Uz compinit; compinit -u -D; eval "$(snakepit completion zsh)"', 'snakepit tokens --by=acc', /snakepit tokens --by=account\s*$/m);
    }), 400_000);

  it.skipIf(!has('fish'))('fish, by its own completion machinery', () =>
    withPit({}, async (pit) => {
      await peopled(pit);
      const fish = (line: string): string[] =>
        execFileSync('fish', ['--no-config', '-c', 'snakepit completion fish | source; complete -C $argv[1]', line], { env: onPath(pit), cwd: pit.root, encoding: 'utf8' }).split('\n').filter((one) => one !== '');
      expect(fish('snakepit sho')).toEqual(['show\tall about one task']);
      expect(fish('snakepit retry ')).toEqual(['broken-one\tfailed']);
      expect(fish('snakepit tokens --by=acc')).toEqual(['--by=account']);
    }), 240_000);

  it('hostile lines: no line makes it fail, print an error, or evaluate anything', () =>
    withPit({}, async (pit) => {
      for (const words of [[''], ['--'], ['show', '$(touch boom)'], ['show', '`touch boom`;'], ['-'], ['-C'], ['-C', '', ''], ['show', '--', '-'], ['up', '-n', ''], ['bogus', 'x', ''], ['=', '='], ['show', '\u001b]0;x\u0007'], ['completion', 'bash', '--', '']]) {
        for (const shell of ['bash', 'zsh', 'fish']) {
          const called = await call(pit, ['completion', shell, '--', ...words], { here: true });
          expect([words, called.code, called.stderr]).toEqual([words, 0, '']);
        }
      }
      expect(fs.readdirSync(pit.root)).not.toContain('boom');
      expect((await pit.cli('completion', 'tcsh')).code).toBe(64);
    }), 240_000);
});
