import type { Scenario } from './scenario.js';
import { FOR_EVER, hours, minutes, seconds, type Script, type Turn } from './script.js';
import type { World } from './world.js';

const made: Turn = [{ works: minutes(2) }, { done: 'made it' }];
const WORKS: Script = [made];
/** Falls silent after five minutes, and nothing brings it back. */
const FREEZES: Script = [[{ works: minutes(5) }, { silent: FOR_EVER }]];
/** The same, but a text brings it back. */
const DOZES: Script = [[{ works: minutes(5) }, { silent: FOR_EVER, heeds: true }, { works: minutes(2) }, { done: 'made it' }]];
const task = (...scripts: readonly Script[]) => ({ scripts });
const many = (count: number, script: Script) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`t${String(index + 1).padStart(2, '0')}`, task(script)]));

/** The pit is killed each so often, and is back three seconds later. */
const killedEvery = (everyMs: number, times: number): NonNullable<Scenario['happens']> => Array.from({ length: times }, (_, index) => [everyMs * (index + 1), (world: World) => world.restartPit()] as const);

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'live-config', rows: ['28'], about: 'A bad edit keeps the last good configuration and says so; a good one, and another snake, count from the next tick on.', lasts: minutes(40),
    tasks: { a: task(FREEZES), b: { scripts: [WORKS], comesAt: minutes(2) } }, config: ['attempts: 1'],
    happens: [[minutes(6), (world) => world.configure(['stahl: 3m'])], [minutes(7), (world) => world.desire(2)], [minutes(12), (world) => world.configure(['attempts: 1', 'stall: 8m', 'nudge-every: 1m'])]],
  },
  { name: 'two-cadences', rows: ['29'], about: 'With work tmux is asked once a tick, without once a rescan.', lasts: hours(2), config: ['tick: 30s', 'rescan: 300s'], tasks: { a: task([[{ works: minutes(50) }, { done: 'made it' }]]) } },
  {
    name: 'waiting', rows: ['30'], about: 'A wait that is announced as the last line, or by command, holds the ladder; an absurd one is capped, a past one is none.', lasts: hours(3), snakes: 4,
    config: ['attempts: 1', 'wait-cap: 1h', 'timeout: 4h'],
    tasks: {
      line: task([[{ works: minutes(2) }, { saysItWaits: minutes(30) }], made]),
      command: task([[{ works: minutes(2) }, { waits: minutes(30) }, { silent: minutes(31) }, { done: 'made it' }]]),
      absurd: task([[{ works: minutes(2) }, { waits: hours(1000) }, { silent: FOR_EVER }]]),
      past: task([[{ works: minutes(2) }, { saysItWaits: -minutes(30) }], made]),
    },
  },
  { name: 'progress-persisted', rows: ['31', 'X3'], about: 'A pit that is killed every two minutes counts the silence of a session from its last progress all the same.', lasts: minutes(40), config: ['attempts: 1'], tasks: { a: task(DOZES) }, happens: killedEvery(minutes(2), 7) },
  { name: 'spinner', rows: ['31', 'X3'], about: 'A program that only prints does not work; one whose tool computes does; a silent tool has four times the patience.', lasts: hours(3), snakes: 3, config: ['attempts: 1', 'nudges: 0', 'timeout: 4h'], tasks: { floods: task([[{ works: minutes(1) }, { floods: FOR_EVER }]]), computes: task([[{ works: minutes(1) }, { tool: hours(2), busy: 0.9 }, { done: 'made it' }]]), tool: task([[{ works: minutes(1) }, { tool: FOR_EVER }]]) } },
  { name: 'ladder', rows: ['32'], about: 'Nudged, nudged, ended, begun anew, and after the last attempt failed.', lasts: hours(2), config: ['attempts: 2'], tasks: { a: task(FREEZES) } },
  { name: 'ladder-killed', rows: ['32', 'X3'], about: 'The same with a pit that is killed after each nudge: nobody is nudged twice.', lasts: hours(2), config: ['attempts: 1'], tasks: { a: task(FREEZES) }, happens: [[minutes(15) + seconds(20), (world) => world.restartPit()], [minutes(20) + seconds(30), (world) => world.restartPit(minutes(1))]] },
  { name: 'asked-once', rows: ['32', 'X2'], about: 'A turn that ends without a word is asked once; words on the screen, ours among them, are no signal.', lasts: minutes(30), snakes: 2, config: ['attempts: 1'], tasks: { answers: task([[{ works: minutes(1) }, { says: 'DONE. The task is COMPLETE.' }], [{ done: 'made it' }]]), talks: task([[{ works: minutes(1) }, { says: '## DONE' }], [{ says: 'snakepit done "all of it"' }]]) } },
  { name: 'startup-stall', rows: ['33'], about: 'A program that is started and does nothing has stalled at its start; the next agent of the list is tried.', lasts: minutes(20), config: ['attempts: 3'], tasks: { a: { head: ['agent: [actor, spare]'], scripts: [[[{ mute: true }]], WORKS] } } },
  { name: 'print-mode', rows: ['33'], about: 'In print mode nobody is spoken to: a silent run is ended at once.', lasts: minutes(30), config: ['attempts: 1'], tasks: { a: { head: ['agent: printer'], scripts: [FREEZES] } } },
  { name: 'limit', rows: ['34', 'X11'], about: 'One session meets the limit: nothing is started, nudged or ended on that account until it is over, and no attempt is spent.', lasts: hours(3), snakes: 4, config: ['attempts: 1'], tasks: { ...many(12, WORKS), a: task([[{ works: minutes(5) }, { limit: hours(1) }]], WORKS), s: task([[{ works: minutes(3) }, { silent: minutes(50) }, { works: minutes(1) }, { done: 'made it' }]]) } },
  { name: 'limit-untold', rows: ['34', 'X11'], about: 'A limit without a reset is looked at anew after a minute, then two, four…, and costs no attempt.', lasts: hours(3), config: ['attempts: 1'], tasks: { a: task([[{ works: minutes(5) }, { limit: hours(1), told: false }]], WORKS) } },
  { name: 'quoted-limit', rows: ['34', 'X2'], about: 'An agent that quotes a limit opens nothing.', lasts: minutes(30), tasks: { a: task([[{ works: minutes(1) }, { says: 'You have hit your limit. Resets 3pm.' }, { works: minutes(5) }, { done: 'made it' }]]) } },
  { name: 'fatal', rows: ['35'], about: 'What cannot go on is ended by its own reason: a refused key, a full context, a crash, a session that vanished; each is begun anew within its bounds.', lasts: hours(2), snakes: 4, config: ['attempts: 2', 'losses: 3'], tasks: { context: task([[{ works: minutes(1) }, { contextFull: true }]], WORKS), crashes: task([[{ works: minutes(1) }, { exits: 3 }]]), vanishes: task([[{ works: minutes(1) }, { vanishes: true }]]), key: { head: ['agent: spare'], scripts: [[[{ works: minutes(1) }, { auth: true }]], WORKS] } } },
  { name: 'snake-deaths', rows: ['35'], about: 'A snake that is killed again and again is started with growing pauses, then no more; its session is adopted each time, and reaped when nobody comes any more.', lasts: minutes(20), tasks: { a: task([[{ works: minutes(10) }, { done: 'made it' }]]) }, happens: Array.from({ length: 120 }, (_, index) => [minutes(2) + seconds(index / 2), (world: World) => world.killSnake('s1')] as const) },
  { name: 'finished', rows: ['37', 'X6'], about: 'When all is done nothing more happens; new work is taken up by itself.', lasts: hours(10), config: ['tick: 2s'], tasks: { a: task(WORKS), b: { scripts: [WORKS], comesAt: hours(8) } } },
  { name: 'two-pits', rows: ['38'], about: 'A second pit gives way; when the first is killed, the next takes over at once.', lasts: minutes(20), config: ['attempts: 1'], tasks: { a: task(DOZES) }, happens: [[minutes(1), (world) => world.startPit()], [minutes(3), (world) => world.restartPit(seconds(1))], [minutes(4), (world) => world.startPit()]] },
  { name: 'adopted', rows: ['X4'], about: 'A snake that is killed leaves its session: the next of its name goes on with it, and no attempt is spent.', lasts: minutes(30), config: ['attempts: 1'], tasks: { a: task([[{ works: minutes(10) }, { done: 'made it' }]]) }, happens: [[minutes(4), (world) => world.killSnake('s1')]] },
  { name: 'blind', rows: ['X5'], about: 'tmux does not answer for half an hour: nobody is judged by what was seen before.', lasts: hours(1), config: ['attempts: 1'], tasks: { a: task([[{ works: minutes(5) }, { silent: minutes(8) }, { works: minutes(40), every: minutes(4) }, { done: 'made it' }]]) }, happens: [[minutes(6), (world) => void (world.tmux.answers = 'not at all')], [minutes(36), (world) => void (world.tmux.answers = 'well')]] },
  { name: 'asleep', rows: ['X5'], about: 'The machine sleeps for a night in the middle of a silence, and its clock is set forward: everybody has a fresh window.', lasts: hours(1), config: ['attempts: 1'], tasks: { a: task([[{ works: minutes(5) }, { silent: minutes(15) }, { works: minutes(5) }, { done: 'made it' }]]) }, happens: [[minutes(12), (world) => world.sleepMachine(hours(8))]] },
  { name: 'asleep-after-turn', rows: ['X5', '32'], about: 'The machine sleeps right after a turn ended without a word: it is asked first, in a fresh window.', lasts: minutes(40), config: ['attempts: 1'], tasks: { a: task([[{ works: minutes(5) }, { says: 'I think so.' }], [{ done: 'made it' }]]) }, happens: [[minutes(6), (world) => world.sleepMachine(hours(8))]] },
  { name: 'no-pit', rows: ['X4', '35'], about: 'The pit is dead from a session\'s start on: nobody\'s work is ended for that.', lasts: minutes(30), config: ['attempts: 1'], tasks: { a: task([[{ works: minutes(10) }, { done: 'made it' }]]) }, happens: [[seconds(1), (world) => world.killPit()]] },
  { name: 'clock-back', rows: ['X5'], about: 'The clock is set back by an hour: nobody is spoken to sooner, and a silent one is ended all the same.', lasts: hours(1), config: ['attempts: 1'], tasks: { a: task(FREEZES) }, happens: [[minutes(12), (world) => world.sleepMachine(-hours(1))]] },
  { name: 'person', rows: ['X5'], about: 'A person is attached and types: the nudge is refused, not typed into their words.', lasts: minutes(40), config: ['attempts: 1', 'nudges: 1'], tasks: { a: task([[{ works: minutes(5) }, { silent: FOR_EVER }]]) }, happens: Array.from({ length: 240 }, (_, index) => [minutes(14) + seconds(index), (world: World) => world.personTypes('a')] as const) },
  { name: 'broken-installation', rows: ['X11'], about: 'A program that ends at once burns a bounded number of attempts, with growing pauses.', lasts: hours(1), config: ['attempts: 3'], tasks: { a: task([[{ exits: 127 }]]) } },
  { name: 'asks', rows: ['27'], about: 'A session that asks is parked in needs/, nobody presses a key, and no attempt is spent.', lasts: minutes(30), config: ['attempts: 1'], tasks: { a: task([[{ works: minutes(1) }, { asks: 'May I remove the branch?' }, { done: 'made it' }]]) } },
  {
    name: 'recurring', rows: ['36', 'X6'], about: 'A template becomes a task when due, also when all else has ended; over a sleep of the machine once, not eight times; not while its last task runs.', lasts: minutes(200), config: ['tick: 2s'],
    tasks: { first: task(WORKS) }, fallback: [[{ works: minutes(90) }, { done: 'made it' }]],
    happens: [[minutes(1), (world) => world.write('queue/recurring/sweep.md', '---\nevery: 1h\ntimeout: 3h\n---\n# Sweep\n')], [minutes(160), (world) => world.sleepMachine(hours(8))]],
  },
  {
    name: 'pings', rows: ['39', '40'], about: 'The end of a task pings a running session and a list of others; an inbox file is told once for each content; a killed pit repeats and loses none.', lasts: minutes(40), snakes: 2,
    config: ['timeout: 2h', 'pings:', '  - {name: ends, on: {settled: {state: done}}, to: [boss], message: "{task} has ended"}', '  - {name: mail, on: {inbox: {dir: inbox}}, to: [boss], message: "mail: {file}"}'],
    tasks: { boss: task([[{ works: minutes(1) }, { waits: hours(2) }, { says: 'I watch.' }], [{ works: minutes(1) }, { says: 'I see.' }]]), a: task([[{ works: minutes(5) }, { done: 'made it' }]]), b: { scripts: [[[{ works: minutes(5) }, { done: 'made it' }]]], comesAt: minutes(10) } },
    happens: [
      [seconds(30), (world) => world.write('inbox/old.md', 'was here')], [minutes(8), (world) => world.restartPit()], [minutes(20), (world) => world.write('inbox/new.md', 'one')],
      [minutes(22), (world) => world.restartPit()], [minutes(25), (world) => world.write('inbox/new.md', 'one')], [minutes(30), (world) => world.write('inbox/new.md', 'two')],
    ],
  },
  {
    name: 'review', rows: ['41', '42', '43'], about: 'The author and the reviewer are sessions of their own, of two programs; only a whole line that says PASS, and nothing else of the kind, is a pass.', lasts: minutes(25), config: ['attempts: 1'],
    tasks: { a: { head: ['workflow: build-review', 'with: {rounds: 6, agents: {review: spare}}'], scripts: [WORKS], steps: Object.fromEntries(['NOT APPROVED', 'It is INCOMPLETE, no PASS.', 'PASS\nREJECT', '> PASS', '`PASS`', 'I looked at all of it.\nPASS'].map((words, index) => [index === 0 ? 'review' : `review-r${index + 1}`, [[{ works: minutes(1) }, { done: words }]]])) } },
  },
  { name: 'idle', rows: ['idle'], about: 'An empty pit of six snakes for an hour.', lasts: hours(1), snakes: 6, tasks: {} },
  {
    name: 'resident', rows: ['36', 'idle'], about: 'A resident that rests is woken on its cadence and at no other time, though its pit is killed; it is not asked whether it is done.', lasts: hours(1),
    config: ['residents:', '  planner: {prompt: "Look whether there is work.", every: 25m, workspace: own}'], tasks: {}, fallback: [[{ works: seconds(40) }, { says: 'All is quiet.' }]],
    happens: [[minutes(10), (world) => world.restartPit()], [minutes(35), (world) => world.restartPit()]],
  },
  { name: 'night', rows: ['night'], about: 'Forty tasks, six snakes, eight hours: some work, some freeze, some forget to say that they are done, some crash.', lasts: hours(8), snakes: 6, config: ['tick: 5s'], tasks: { ...many(28, WORKS), ...Object.fromEntries(['f1', 'f2', 'f3', 'f4'].map((id) => [id, task(FREEZES, WORKS)])), ...Object.fromEntries(['q1', 'q2', 'q3', 'q4'].map((id) => [id, task([[{ works: minutes(9) }, { says: 'I think so.' }], [{ done: 'made it' }]])])), ...Object.fromEntries(['c1', 'c2', 'c3', 'c4'].map((id) => [id, task([[{ works: minutes(7) }, { exits: 1 }]], WORKS)])) } },
];
