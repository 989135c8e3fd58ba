import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventLine } from '../../src/events/event.js';
import { askingPit, how, told } from '../rig/asking.js';
import { QUICK, type Pit } from '../rig/pit.js';
import { call, withPit } from './rig.js';

/* Real pits, a real repository, two full-screen programs in real tmux that are told things; the pit is killed meanwhile. */

let top = '';
const dirOf = (name: string): string => join(top, name);
beforeEach(() => {
  top = fs.mkdtempSync(join(tmpdir(), 'pings-'));
  for (const name of ['ann', 'bob']) {
    fs.mkdirSync(dirOf(name));
    how(dirOf(name), { workMs: 100 });
  }
  fs.mkdirSync(dirOf('repo'));
  fs.mkdirSync(dirOf('inbox'));
  git('init', '-q', '-b', 'main');
  commit('review: this is history');
});
afterEach(() => fs.rmSync(top, { recursive: true, force: true }));

const git = (...args: string[]): string => execFileSync('git', ['-C', dirOf('repo'), '-c', 'user.name=Ann', '-c', 'user.email=a@example.org', ...args], { encoding: 'utf8', env: { PATH: process.env['PATH'] ?? '', HOME: top } });
const commit = (subject: string): string => git('commit', '-q', '--allow-empty', '-m', subject);

/** The profile of the rig's program, with its files in a directory of its own. */
const fakeIn = (name: string): unknown => (JSON.parse((askingPit(dirOf(name)).config ?? []).at(-1)?.slice('agents: '.length) ?? '{}') as { fake: unknown }).fake;

const config = (pings: readonly object[]): readonly string[] => [
  ...QUICK.filter((line) => !line.startsWith('tick')), 'tick: 200ms', 'signal: 1h', 'startup: 1h', 'stall: 1h', `agents: ${JSON.stringify({ ann: fakeIn('ann'), bob: fakeIn('bob') })}`, `pings: ${JSON.stringify(pings)}`,
];
const RULES = (): readonly object[] => [
  { name: 'review', on: { commit: { repo: dirOf('repo'), ref: 'main', subject: '^review: (?<what>.*)' } }, to: ['ann', 'bob', 'person'], message: 'please review {what}' },
  { name: 'night', on: { settled: { state: 'done', tag: 'nightly' } }, to: 'bob', message: 'ended: {task}, {title}' },
  { name: 'notes', on: { inbox: { dir: dirOf('inbox'), files: '*.md' } }, to: 'ann', message: 'note {name}' },
];
const heard = (name: string): string[] => told<{ text: string }>(dirOf(name), 'submitted').map(({ text }) => text);
const pinged = <K extends EventLine['kind']>(pit: Pit, kind: K): Extract<EventLine, { kind: K }>[] => pit.events().filter((event): event is Extract<EventLine, { kind: K }> => event.kind === kind);

async function twoSessions(pit: Pit): Promise<void> {
  await pit.up(3);
  for (const name of ['ann', 'bob']) pit.dropTask(`${name}.md`, `---\nagent: ${name}\n---\nStay and listen.\n`);
  await pit.until('both run', () => ['ann', 'bob'].every((name) => told(dirOf(name), 'started').length === 1), 60_000);
}

/** kill -9 of the pit, and another one. */
async function killPit(pit: Pit): Promise<void> {
  const daemon = await pit.daemon();
  if (daemon !== undefined) await pit.kill(daemon);
  await pit.until('the pit is dead', async () => (await pit.daemon()) === undefined);
  await pit.up(3);
}

describe('pings', () => {
  it('commits, ends of tasks and notes reach whom their rules name, once, over kill -9 of the pit', { timeout: 300_000 }, () =>
    withPit({ config: config(RULES()) }, async (pit) => {
      await twoSessions(pit);
      await pit.until('the rules have begun', () => fs.existsSync(join(pit.layout.pings, 'cursors')) && fs.readdirSync(join(pit.layout.pings, 'cursors')).filter((name) => name.endsWith('.json') && !name.startsWith('.')).length === 3);
      const wanted: { to: string; text: string }[] = [];
      for (let round = 1; round <= 4; round += 1) {
        commit(`review: part ${round}`);
        commit('say: nothing of it');
        fs.writeFileSync(join(dirOf('inbox'), `n${round}.md`), `note ${round}\n`);
        pit.dropTask(`job${round}.md`, `---\nagent: shell\ntags: [nightly]\n---\n# Job ${round}\n\`\`\`sh\ntrue\n\`\`\`\n`);
        for (const to of ['ann', 'bob', 'person']) wanted.push({ to, text: `please review part ${round}` });
        wanted.push({ to: 'ann', text: `note n${round}.md` }, { to: 'bob', text: `ended: job${round}, Job ${round}` });
        // Anywhere between the look at the sources and the receipt.
        const events = pinged(pit, 'ping-queued').length;
        if (round % 2 === 1) await pit.until('something of it is queued', () => pinged(pit, 'ping-queued').length > events, 60_000);
        await killPit(pit);
      }
      const finished = ({ to, text }: { to: string; text: string }): boolean => {
        const ids = pinged(pit, 'ping-queued').flatMap((event) => (event.to === to && event.text === text ? [event.ping] : []));
        // Killed between the file and its first line: the name of the file is in the later ones.
        const ends = [...pinged(pit, 'ping-delivered').filter(({ receipt }) => receipt !== 'refused'), ...pinged(pit, 'ping-dropped')];
        return ends.some((event) => event.to === to && ids.includes(event.ping)) || (to !== 'person' && heard(to).includes(text));
      };
      await pit.until('each has arrived, or is told of', () => wanted.every(finished) && fs.readdirSync(join(pit.layout.pings, 'outbox')).filter((name) => !name.startsWith('.')).length === 0, 120_000);
      for (const name of ['ann', 'bob']) {
        const texts = wanted.filter(({ to }) => to === name).map(({ text }) => text);
        expect(heard(name).filter((text) => !texts.includes(text))).toEqual([]);
        expect(new Set(heard(name)).size).toBe(heard(name).length);
        const unconfirmed = pinged(pit, 'ping-delivered').filter((event) => event.to === name && event.receipt === 'unconfirmed').length;
        expect(heard(name).length).toBeGreaterThanOrEqual(texts.length - unconfirmed);
        const reviews = heard(name).filter((text) => text.startsWith('please'));
        expect(reviews).toEqual(reviews.toSorted());
      }
      expect(pinged(pit, 'ping-dropped')).toEqual([]);
      expect(await pit.ok('pings')).toMatch(/review +commit on main[^\n]*\n[^]*nothing waits/);
    }));

  it('history that is rewritten is said, and not told again; by hand, to several, long ones through a file; a dialog refuses, and says so', { timeout: 300_000 }, () =>
    withPit({ config: config(RULES().slice(0, 1)) }, async (pit) => {
      await twoSessions(pit);
      await pit.until('the rule has begun', () => fs.existsSync(join(pit.layout.pings, 'cursors', 'review.json')));
      commit('review: one');
      await pit.until('both heard it', () => ['ann', 'bob'].every((name) => heard(name).includes('please review one')), 60_000);
      git('reset', '-q', '--hard', 'HEAD~1');
      commit('review: below');
      commit('say: more');
      git('-c', 'core.editor=true', 'commit', '-q', '--amend', '--allow-empty', '-m', 'say: more of it');
      await pit.until('the new one is heard', () => ['ann', 'bob'].every((name) => heard(name).includes('please review below')), 60_000);
      expect(pinged(pit, 'ping-gap').map(({ why }) => why)).toEqual(expect.arrayContaining([expect.stringMatching(/main was rewritten/)]));

      const by = await pit.cli('ping', 'ann', 'bob', 'person', '--', 'look', 'at', 'it');
      expect([by.code, by.stderr]).toEqual([0, '']);
      expect(by.stdout).toMatch(/^ann: (submitted|queued): .*\nbob: (submitted|queued): .*\nperson: told: /);
      const long = await call(pit, ['ping', 'ann', '-'], { input: 'one\ntwo\n' });
      expect(long.code).toBe(0);
      const line = heard('ann').find((text) => text.startsWith('Read the file ')) ?? '';
      expect(fs.readFileSync(/^Read the file (\S+) and do/.exec(line)?.[1] ?? '', 'utf8')).toBe('one\ntwo\n');
      for (const name of ['ann', 'bob']) expect(heard(name).filter((text) => text === 'look at it')).toHaveLength(1);

      how(dirOf('bob'), { workMs: 100, dialog: 'Really?' });
      const refused = await pit.cli('ping', '--wait', '1s', 'ann', 'bob', 'who goes first?');
      expect([refused.code, refused.stdout]).toEqual([75, expect.stringMatching(/^ann: submitted: [^]*bob: refused: /)]);
      expect((await pit.cli('ping', 'ann', 'nobody', 'x')).code).toBe(66);
      expect(heard('ann')).not.toContain('x');
      expect((await pit.cli('ping', 'hello')).code).toBe(64);
    }));
});
