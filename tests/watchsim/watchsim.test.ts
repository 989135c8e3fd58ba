import { describe, expect, it } from 'vitest';
import { variablesIn, promptText } from '../../src/agents/prompts.js';
import { play, type Played, type Scenario } from './scenario.js';
import { SCENARIOS } from './scenarios.js';
import { brief, printLine } from './timeline.js';

/*
 * One scenario for each row of the requirements that is the watchdog's: what it decides, when, in virtual time.
 *
 *     npm run watchsim             the scenarios
 *     npm run watchsim -- ladder   one timeline, line by line
 */

function scenario(name: string): Scenario {
  const found = SCENARIOS.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no scenario is called ${name}`);
  return found;
}

/** Plays it once and demands what holds of every story: nothing of ours broke, and every key has a decision behind it. */
async function run(name: string): Promise<Played> {
  const played = await play(scenario(name));
  expect(played.lines.filter(({ what }) => what.startsWith('BROKEN')).map(printLine)).toEqual([]);
  const decided = played.lines.filter(({ what }) => what.startsWith('nudge-decided') || what === 'ping-queued').length;
  expect(played.world.typed.filter(({ what }) => what.startsWith('text')).length).toBeLessThanOrEqual(decided);
  return played;
}

const LADDER = ['nudge-decided', 'session-judged', 'task-done', 'task-failed', 'task-requeued'];
const ladder = async (name: string): Promise<string[]> => brief((await run(name)).lines, ...LADDER);
const placesIn = ({ world }: Played, name: string): Record<string, string | undefined> => Object.fromEntries(Object.keys(scenario(name).tasks).map((id) => [id, world.placeOf(id)]));
const TIMEOUT = { timeout: 240_000 };

describe('row 28: configuration', () => {
  it('a bad edit keeps the last good one; a good one and another snake count live', TIMEOUT, async () => {
    const { lines } = await run('live-config');
    expect(brief(lines, 'config-refused', 'config-changed', 'snakes-scaled', 'snake-started')).toEqual(['0:00 s1 snake-started', '0:06 snakepit.yaml config-refused', '0:07 snakes-scaled', '0:07 s2 snake-started', '0:12 snakepit.yaml config-changed']);
    expect(lines.find(({ what }) => what === 'config-refused')?.rule).toContain('stahl: unknown key; did you mean stall?');
    expect(brief(lines, ...LADDER)).toEqual(['0:09 b task-done', '0:13 a nudge-decided go-on', '0:14 a nudge-decided go-on', '0:15 a session-judged stalled', '0:15 a task-failed']);
  });
});

describe('rows 41 to 43: author and reviewer', () => {
  it('are sessions of their own, of two programs; only a whole line that is PASS alone passes, in the last round too', TIMEOUT, async () => {
    const { lines, world } = await run('review');
    const ends = lines.filter(({ what }) => what.startsWith('step-ended')).map(({ evidence }) => evidence.replace(/ \(.*/, ''));
    expect(ends).toEqual([...Array.from({ length: 5 }, () => ['', 'no verdict']).flat(), '', 'PASS']);
    expect(world.launches).toBe(12);
    const counted = lines.filter(({ what }) => what.startsWith('step-started')).length;
    expect([counted, world.placeOf('a'), world.typed.length]).toEqual([12, 'done', 0]);
  });
});

describe('row 29: two cadences', () => {
  it('tmux is asked once a tick while there is work, once a rescan without', TIMEOUT, async () => {
    const { world } = await run('two-cadences');
    expect(world.placeOf('a')).toBe('done');
    expect(world.tmux.asked).toBeGreaterThan(100 + 13);
    expect(world.tmux.asked).toBeLessThan(105 + 17);
  });
});

describe('row 30: waiting', () => {
  it('an announced wait holds the ladder, an absurd one is capped, a past one is none', TIMEOUT, async () => {
    expect(await ladder('waiting')).toEqual([
      '0:04 past nudge-decided done', '0:06 past task-done', '0:33 command task-done', '0:35 line nudge-decided done', '0:37 line task-done',
      '1:11 absurd nudge-decided go-on', '1:16 absurd nudge-decided go-on', '1:21 absurd session-judged stalled', '1:21 absurd task-failed',
    ]);
  });
});

describe('row 31, X3: progress', () => {
  it('is remembered over the death of the pit', TIMEOUT, async () => {
    expect(await ladder('progress-persisted')).toEqual(['0:15 a nudge-decided go-on', '0:17 a task-done']);
  });
  it('is work, and not what a screen paints; a tool that computes works, a silent one has its time', TIMEOUT, async () => {
    expect(await ladder('spinner')).toEqual(['0:11 floods session-judged stalled', '0:11 floods task-failed', '0:41 tool session-judged stalled', '0:41 tool task-failed', '2:01 computes task-done']);
  });
});

describe('row 32: the ladder', () => {
  it('nudges, ends, begins anew, and fails after the last attempt', TIMEOUT, async () => {
    expect(await ladder('ladder')).toEqual([
      '0:15 a nudge-decided go-on', '0:20 a nudge-decided go-on', '0:25 a session-judged stalled', '0:25 a task-requeued',
      '0:40 a nudge-decided go-on', '0:45 a nudge-decided go-on', '0:50 a session-judged stalled', '0:50 a task-failed',
    ]);
  });
  it('nudges nobody twice, though the pit is killed after each nudge', TIMEOUT, async () => {
    const played = await run('ladder-killed');
    expect(brief(played.lines, ...LADDER)).toEqual(['0:15 a nudge-decided go-on', '0:20 a nudge-decided go-on', '0:25 a session-judged stalled', '0:25 a task-failed']);
    expect(played.world.typed.filter(({ what }) => what.startsWith('text'))).toHaveLength(2);
  });
  it('asks once whether it is done; words on the screen, ours among them, are no signal (X2)', TIMEOUT, async () => {
    expect(await ladder('asked-once')).toEqual(['0:03 answers nudge-decided done', '0:03 talks nudge-decided done', '0:03 answers task-done', '0:05 talks session-judged unsignalled', '0:05 talks task-failed']);
  });
});

describe('row 33: start-up stall', () => {
  it('is told from a later one, and the next agent is tried', TIMEOUT, async () => {
    const { lines, world } = await run('startup-stall');
    expect(brief(lines, ...LADDER)).toEqual(['0:02 a session-judged startup-stall', '0:02 a task-requeued', '0:04 a task-done']);
    expect(world.session('a')?.attempt?.agent).toBe('spare');
  });
  it('in print mode nobody is spoken to', TIMEOUT, async () => {
    const { lines, world } = await run('print-mode');
    expect(brief(lines, ...LADDER)).toEqual(['0:15 a session-judged stalled', '0:15 a task-failed']);
    expect(world.typed).toEqual([]);
  });
});

describe('row 34, X11: limits', () => {
  it('nobody is started, nudged or ended on the account until the limit is over, and no attempt is spent', TIMEOUT, async () => {
    const played = await run('limit');
    expect(brief(played.lines, 'nudge-decided', 'session-judged', 'task-failed')).toEqual([]);
    const limitedAt = played.lines.find(({ what }) => what.startsWith('breaker-opened'))?.at ?? 0;
    const launched = played.lines.filter(({ what, at }) => what === 'session-launched' && at > limitedAt);
    expect(launched.every(({ at }) => at >= 65 * 60_000)).toBe(true);
    expect(new Set(Object.values(placesIn(played, 'limit')))).toEqual(new Set(['done']));
  });
  it('one without a reset is looked at anew, less and less often', TIMEOUT, async () => {
    const played = await run('limit-untold');
    const launches = played.lines.filter(({ what }) => what === 'session-launched').map(({ at }) => at);
    const pauses = launches.slice(2).map((at, index) => at - (launches[index + 1] ?? 0));
    expect(launches.length).toBeGreaterThan(4);
    expect(launches.length).toBeLessThan(12);
    expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
    expect(played.world.placeOf('a')).toBe('done');
  });
  it('a quoted limit opens nothing (X2)', TIMEOUT, async () => {
    const { lines, world } = await run('quoted-limit');
    expect(brief(lines, 'breaker-opened')).toEqual([]);
    expect(world.placeOf('a')).toBe('done');
  });
});

describe('row 35: healing', () => {
  it('what cannot go on ends by its own reason, and is begun anew within its bounds', TIMEOUT, async () => {
    const played = await run('fatal');
    expect(placesIn(played, 'fatal')).toEqual({ context: 'done', crashes: 'failed', vanishes: 'failed', key: 'done' });
    const why = (id: string): string[] => played.lines.filter(({ about, what }) => about === id && (what === 'task-requeued' || what === 'task-failed')).map(({ rule }) => rule.split(':')[0] ?? '');
    expect([why('context'), why('crashes'), why('key')]).toEqual([['context-exhausted'], ['exit-status', 'exit-status'], ['auth-failed']]);
    expect(why('vanishes')).toEqual(['the session vanished without an exit record', 'the session vanished without an exit record', 'lost-too-often']);
    expect(played.world.typed).toEqual([]);
  });
  it('a snake that dies again and again is started no more', TIMEOUT, async () => {
    const { lines } = await run('snake-deaths');
    expect(brief(lines, 'snake-started')).toHaveLength(5);
    expect(brief(lines, 'snake-broken')).toEqual(['0:02 s1 snake-broken']);
  });
});

describe('row 36: recurring tasks', () => {
  it('come when due, not while the last one runs, and once after a sleep', TIMEOUT, async () => {
    const { lines } = await run('recurring');
    expect(brief(lines, 'task-scheduled', 'task-skipped').map((line) => line.replace(/-2026\S*/, ''))).toEqual(['1:01 sweep task-scheduled', '2:01 sweep task-skipped', '2:40 sweep task-scheduled', '3:01 sweep task-skipped']);
  });
});

describe('row 36: a resident that rests', () => {
  it('is woken on its cadence and is otherwise left alone, over two deaths of the pit', TIMEOUT, async () => {
    const { lines, world } = await play(scenario('resident'));
    expect(brief(lines, 'resident-started', 'resident-woken', 'nudge-decided', 'session-judged', 'BROKEN')).toEqual(['0:00 planner resident-started', '0:25 planner resident-woken submitted', '0:50 planner resident-woken submitted']);
    expect([world.launches, world.typed.length]).toEqual([1, 4]);
    console.log(`an hour of one resting resident: ${world.disk.writes} writes`);
    expect(world.disk.writes).toBeLessThan(300);
  });
});

describe('rows 39 and 40: pings and inboxes', () => {
  it('each end and each content is told once, over two deaths of the pit', TIMEOUT, async () => {
    const { world } = await run('pings');
    const texts = world.typed.flatMap(({ what, at }) => (what.startsWith('text: ') ? [`${Math.floor(at / 60_000)} ${what.slice(6)}`] : []));
    expect(texts).toEqual(['0 mail: /sim/inbox/old.md', '5 a has ended', '15 b has ended', '20 mail: /sim/inbox/new.md', '30 mail: /sim/inbox/new.md']);
  });
});

describe('row 37, X6: what is finished', () => {
  it('is quiet for eight hours, and new work is taken up by itself', TIMEOUT, async () => {
    const { lines, world } = await run('finished');
    expect(lines.filter(({ at }) => at > 3 * 60_000 && at < 479 * 60_000)).toEqual([]);
    expect([world.placeOf('a'), world.placeOf('b'), world.typed]).toEqual(['done', 'done', []]);
  });
});

describe('row 38: one pit', () => {
  it('a second gives way; the next takes over from one that was killed', TIMEOUT, async () => {
    const { lines } = await run('two-pits');
    expect(brief(lines, 'gives way', 'kill -9', ...LADDER)).toEqual(['0:01 pit gives way', '0:03 pit kill -9', '0:04 pit gives way', '0:15 a nudge-decided go-on', '0:17 a task-done']);
  });
});

describe('X1: variables', () => {
  it('every variable that a prompt names is set in the session, and a stale one of ours is not handed on', TIMEOUT, async () => {
    const { world } = await run('adopted');
    const launcher = world.session('a')?.launcher ?? '';
    const named = (['headless', 'interactive', 'resume', 'nudge-done', 'nudge-go-on'] as const).flatMap((name) => variablesIn(promptText(name)));
    expect(named.length).toBeGreaterThan(3);
    for (const variable of named) expect(launcher).toContain(`export ${variable}=`);
    expect(launcher).toContain("export SNAKEPIT_TASK_ID='a'");
    expect(launcher).not.toContain('stale');
  });
});

describe('X4: whose claim it is', () => {
  it('a killed snake is succeeded, its session goes on, no attempt is spent', TIMEOUT, async () => {
    const { lines, world } = await run('adopted');
    expect(brief(lines, 'task-adopted', 'session-launched', 'task-done', 'claim-reaped')).toEqual(['0:00 a session-launched', '0:04 a task-adopted', '0:10 a task-done']);
    expect(world.launches).toBe(1);
  });
  it('a dead pit ends nobody: a session that it never looked at works on', TIMEOUT, async () => {
    expect(await ladder('no-pit')).toEqual(['0:10 a task-done']);
  });
});

describe('X5: evidence of before', () => {
  it('while tmux does not answer nobody is judged', TIMEOUT, async () => {
    const { lines } = await run('blind');
    expect(brief(lines, ...LADDER)).toEqual(['0:53 a task-done']);
    expect(brief(lines, 'tmux does not answer')).toHaveLength(1);
  });
  it('a sleep of the machine gives a fresh window, in a silence', TIMEOUT, async () => {
    expect(await ladder('asleep')).toEqual(['0:25 a task-done']);
  });
  it('and after a turn: it is asked before it is ended', TIMEOUT, async () => {
    expect(await ladder('asleep-after-turn')).toEqual(['0:08 a nudge-decided done', '0:08 a task-done']);
  });
  it('a clock that is set back delays by a fresh window, not by the hour', TIMEOUT, async () => {
    expect(await ladder('clock-back')).toEqual(['0:22 a nudge-decided go-on', '0:27 a nudge-decided go-on', '0:32 a session-judged stalled', '0:32 a task-failed']);
  });
  it('a person who types is made way for, and the nudge that made way counts for none', TIMEOUT, async () => {
    const { lines, world } = await run('person');
    expect(brief(lines, ...LADDER, 'nudged')).toEqual(['0:15 a nudge-decided go-on', '0:15 a nudged refused', '0:25 a nudge-decided go-on', '0:25 a nudged queued', '0:30 a session-judged stalled', '0:30 a task-failed']);
    expect(world.typed.filter(({ at }) => at < 18 * 60_000)).toEqual([]);
  });
});

describe('X11: a broken installation', () => {
  it('burns a bounded number of attempts, with pauses', TIMEOUT, async () => {
    const { lines, world } = await run('broken-installation');
    expect(world.launches).toBeLessThanOrEqual(5);
    expect(brief(lines, 'nudge-decided', 'session-judged')).toEqual([]);
  });
});

describe('who asks', () => {
  it('is parked, and nobody presses a key', TIMEOUT, async () => {
    const { world } = await run('asks');
    expect([world.placeOf('a'), world.typed]).toEqual(['needs', []]);
  });
});

describe('an idle pit', () => {
  it('types nothing, starts no agent, and writes next to nothing in an hour', TIMEOUT, async () => {
    const { world, lines, tookMs } = await run('idle');
    console.log(`an idle hour of six snakes: ${world.disk.writes} writes, ${world.machine.calls} port calls, ${world.tmux.asked} looks at tmux, in ${Math.round(tookMs)} ms`);
    expect([world.typed, world.launches]).toEqual([[], 0]);
    expect(lines.filter(({ at }) => at > 60_000)).toEqual([]);
    expect(world.disk.writes).toBeLessThan(100);
  });
});

describe('a night', () => {
  it('of eight hours, forty tasks and six snakes ends with all of them done', TIMEOUT, async () => {
    const cpu = process.cpuUsage();
    const played = await run('night');
    const { user } = process.cpuUsage(cpu);
    console.log(`a night of 8 h, 40 tasks, 6 snakes: ${Math.round(played.tookMs)} ms, ${Math.round(user / 1000)} ms of processor time, ${played.world.machine.calls} port calls, ${played.lines.length} lines`);
    expect(new Set(Object.values(placesIn(played, 'night')))).toEqual(new Set(['done']));
    expect(brief(played.lines, 'nudge-decided done')).toHaveLength(4);
    expect(brief(played.lines, 'session-judged stalled')).toHaveLength(4);
    expect(user / 1000).toBeLessThan(30_000);
  });
});
