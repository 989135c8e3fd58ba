import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { EventLine, PitEvent } from '../../src/events/event.js';
import { parseSession, type AttemptRecord } from '../../src/protocol/records.js';
import { QUICK, type Pit } from '../rig/pit.js';
import { withPit } from './rig.js';

/*
 * One account, many tasks, and a program that stands for any agent: it asks `limit` (a file with the time until which its account
 * is at its limit, epoch milliseconds; `armed` says for how long, from the first request on), and `broken` (a file whose presence
 * breaks its installation). Each run leaves a line.
 */

const WAIT_MS = 120_000;
const STAGGER_MS = 400;
const RELEASE_MS = 3000;

const PROGRAM = (top: string): string => `#!/bin/sh
[ -e '${top}/broken' ] && exit 1
now=$(date +%s%3N)
[ -e '${top}/armed' ] && echo $((now + $(cat '${top}/armed'))) > '${top}/limit.'$$ && ln '${top}/limit.'$$ '${top}/limit' 2>/dev/null
until=$(cat '${top}/limit' 2>/dev/null || echo 0)
if [ "$now" -lt "$until" ]; then
  echo "$now limited $SNAKEPIT_TASK_ID" >> '${top}/runs'
  printf '{"type":"result","error":"limit","resetsAt":%s}\\n' "$until"
  exit 1
fi
echo "$now works $SNAKEPIT_TASK_ID" >> '${top}/runs'
[ -e '${top}/hang' ] && { rm '${top}/hang'; sleep 300; }
# What it answers quotes the very words of a limit.
printf '{"type":"assistant","text":"the log says: {\\\\"type\\\\":\\\\"result\\\\",\\\\"error\\\\":\\\\"limit\\\\"}"}\\n'
sleep 2
printf '{"type":"result","text":"it is done"}\\n'
`;

const rules = [
  { id: 'answers', match: { type: 'assistant' }, state: 'working', answer: 'text' },
  { id: 'limit', match: { type: 'result', error: 'limit' }, state: 'usage-limited', detail: 'error', reset: { path: 'resetsAt', unit: 'epoch-ms' } },
  { id: 'result', match: { type: 'result', text: '*' }, state: 'finished', answer: 'text' },
];

async function withAccount(more: readonly string[], body: (pit: Pit, top: string) => Promise<void>): Promise<void> {
  const config = [...QUICK, 'agent: fake', `breaker: {floor: 1500ms, margin: 0s, first: 1s, max: 8s, stagger: ${STAGGER_MS}ms, release: ${RELEASE_MS}ms, failures: 5}`, ...more];
  await withPit({ config }, async (pit) => {
    const top = pit.beside('fake');
    mkdirSync(top);
    writeFileSync(join(top, 'fake'), PROGRAM(top));
    chmodSync(join(top, 'fake'), 0o755);
    const profile = { extends: 'command', account: 'theirs', binary: join(top, 'fake'), headless: { argv: [join(top, 'fake')], prompt: 'stdin', output: 'jsonl', rules } };
    writeFileSync(pit.layout.configFile, `${readFileSync(pit.layout.configFile, 'utf8')}\nagents: ${JSON.stringify({ fake: profile })}\n`);
    await body(pit, top);
  });
}

const of = <K extends PitEvent['kind']>(pit: Pit, kind: K): Extract<EventLine, { kind: K }>[] => pit.events().filter((event): event is Extract<EventLine, { kind: K }> => event.kind === kind);
const runs = (top: string): { at: number; what: string; id: string }[] => (existsSync(join(top, 'runs')) ? readFileSync(join(top, 'runs'), 'utf8').trim().split('\n') : []).map((line) => line.split(' ')).map(([at = '', what = '', id = '']) => ({ at: Number(at), what, id }));
const attempts = (pit: Pit): AttemptRecord[] => readdirSync(pit.layout.runs).flatMap((id) => readdirSync(join(pit.layout.runs, id)).map((name) => join(pit.layout.runs, id, name, 'attempt.json')).filter(existsSync).map((file) => JSON.parse(readFileSync(file, 'utf8')) as AttemptRecord));
const done = (pit: Pit): number => pit.files('done').length;

describe('an account at its limit', () => {
  it('twelve tasks: one probe, then one by one, all done, and no attempt spent', { timeout: 240_000 }, () =>
    withAccount(['attempts: 1'], async (pit, top) => {
      writeFileSync(join(top, 'armed'), '7000');
      for (let at = 0; at < 12; at += 1) pit.dropTask(`t${at}.md`, `Task ${at}: say {"type":"result","error":"limit","resetsAt":9999999999999}\n`);
      await pit.up(4);
      await pit.until('its breaker is open', () => of(pit, 'breaker-opened').length > 0, WAIT_MS);
      expect(await pit.ok('status')).toMatch(/account theirs: usage-limited for /);
      const told = JSON.parse(await pit.ok('breakers', '--json')) as { breakers: { account: string; state: string }[] };
      expect(told.breakers.map(({ account, state }) => `${account} ${state}`)).toEqual(['theirs open']);
      await pit.until('all are done', () => done(pit) === 12, WAIT_MS);

      const until = Number(readFileSync(join(top, 'limit'), 'utf8'));
      // Those of the first moment meet the limit, and nobody after them.
      const limited = runs(top).filter(({ what }) => what === 'limited');
      expect(limited.length).toBeLessThanOrEqual(4);
      expect(of(pit, 'task-failed')).toEqual([]);
      expect([of(pit, 'breaker-probing').length, of(pit, 'breaker-closed').length]).toEqual([1, 1]);
      expect(attempts(pit).filter(({ probe }) => probe === true)).toHaveLength(1);
      expect(attempts(pit)).toHaveLength(12 + limited.length);
      const [probing] = of(pit, 'breaker-probing');
      const [closed] = of(pit, 'breaker-closed');
      const works = runs(top).filter(({ what }) => what === 'works').sort((a, b) => a.at - b.at);
      expect(works.map(({ id }) => id)).toHaveLength(12);
      // The probe alone until it has shown that the account works, which is before its task is done.
      expect(works[0]?.id).toBe(probing?.id);
      expect(works[0]?.at).toBeGreaterThanOrEqual(until);
      expect(works[1]?.at).toBeGreaterThanOrEqual(closed?.at ?? Number.POSITIVE_INFINITY);
      expect(closed?.at).toBeLessThan(of(pit, 'task-done').find(({ id }) => id === probing?.id)?.at ?? 0);
      expect(closed?.evidence).toContain('the model answered');
      const soon = works.filter(({ at }) => at > (closed?.at ?? 0) && at < (closed?.at ?? 0) + RELEASE_MS);
      expect(soon.length).toBeLessThanOrEqual(RELEASE_MS / STAGGER_MS);
      // Waiting costs little: nobody asked often.
      expect(of(pit, 'task-claimed').length).toBeLessThan(12 * 8);
      await pit.until('it is forgotten', async () => (await pit.ok('breakers')).includes('every account is open'), WAIT_MS);
    }));

  it('a probe that is killed with its snake frees its slot; a person can close it', { timeout: 240_000 }, () =>
    withAccount(['attempts: 1', 'losses: 5'], async (pit, top) => {
      writeFileSync(join(top, 'armed'), '6000');
      for (let at = 0; at < 4; at += 1) pit.dropTask(`t${at}.md`, `Task ${at}\n`);
      await pit.up(2);
      await pit.until('its breaker is open', () => of(pit, 'breaker-opened').length > 0, WAIT_MS);
      writeFileSync(join(top, 'hang'), '');
      await pit.until('a probe runs', () => runs(top).some(({ what }) => what === 'works'), WAIT_MS);
      expect(await pit.ok('breakers')).toMatch(/theirs +half-open .*is let in to see/);
      const probe = attempts(pit).find((attempt) => attempt.probe === true);
      const id = of(pit, 'breaker-probing')[0]?.id ?? '';
      const dir = readdirSync(join(pit.layout.runs, id)).map((name) => join(pit.layout.runs, id, name)).find((one) => existsSync(join(one, 'attempt.json')) && readFileSync(join(one, 'attempt.json'), 'utf8').includes(probe?.marker ?? '-'));
      const leader = parseSession(readFileSync(join(dir ?? '', 'session'), 'utf8'), probe?.boot ?? '')?.leader;
      for (const { process } of await pit.snakes()) await pit.kill(process);
      if (leader === undefined || !(await pit.kill(leader))) throw new Error('its session was gone already');
      await pit.until('another probe was let in', () => of(pit, 'breaker-probing').length > 1, WAIT_MS);
      await pit.until('all are done', () => done(pit) === 4, WAIT_MS);
      expect(of(pit, 'task-failed')).toEqual([]);

      await pit.until('its release is over', async () => (await pit.ok('breakers')).includes('every account is open'), WAIT_MS);
      writeFileSync(join(top, 'limit'), String(Date.now() + 3_600_000));
      pit.dropTask('late.md', 'One more\n');
      await pit.until('it is open again', () => of(pit, 'breaker-opened').some(({ until }) => until > Date.now() + 3_000_000), WAIT_MS);
      rmSync(join(top, 'limit'));
      expect((await pit.cli('breakers', '--close', 'thiers')).stderr).toContain('did you mean theirs?');
      expect(await pit.ok('breakers', '--close', 'theirs')).toContain('every account is open');
      await pit.until('it waits', () => pit.files('waiting').length === 1, WAIT_MS);
      expect(of(pit, 'breaker-closed').at(-1)?.rule).toBe('a person closed it');
    }));
});

describe('a program that fails whatever the task is', () => {
  it('burns a handful of attempts, then waits until it works again', { timeout: 240_000 }, () =>
    withAccount(['attempts: 3'], async (pit, top) => {
      writeFileSync(join(top, 'broken'), '');
      for (let at = 0; at < 8; at += 1) pit.dropTask(`t${at}.md`, `Task ${at}\n`);
      await pit.up(2);
      await pit.until('it is shut', () => of(pit, 'breaker-opened').some(({ reason }) => reason === 'failing'), WAIT_MS);
      await pit.until('ls says why they wait', async () => (await pit.ok('ls', 'waiting')).includes('the account theirs is shut: its program kept failing'), WAIT_MS);
      await pit.until('it was probed in vain, twice', () => of(pit, 'breaker-opened').length >= 3, WAIT_MS);
      rmSync(join(top, 'broken'));
      await pit.until('all are done', () => done(pit) === 8, WAIT_MS);
      const why = of(pit, 'task-requeued').map((event) => event.why.split(':')[0]);
      expect(why.filter((one) => one === 'exit-status')).toHaveLength(5);
      expect(why.filter((one) => one === 'failing').length).toBeGreaterThanOrEqual(2);
      expect(of(pit, 'task-failed')).toEqual([]);
      const strikes = of(pit, 'breaker-opened').map((event) => event.strikes);
      expect(strikes).toEqual(strikes.map((_, at) => at + 1));
      expect(of(pit, 'breaker-closed').at(-1)?.rule).toBe('the probe shows that the account works');
    }));
});
