import type { ActorName } from './crash/actors.js';
import type { Stop } from './crash/stage.js';

/*
 * What may die, where, and what comes of it: data only. docs/failure-model.md is rendered from it (`npm run failure-model`), and
 * crash-matrix.test.ts plays it. A new step of the product: one row in the part it belongs to; an actor of its own: one entry in
 * crash/actors.ts and one in SWEEPS.
 */

/** How a row is shown to be true. */
export type Run =
  /** The actor dies at the stop; whoever its `again` names comes by; then the task is worked to its end. `counters`: failures, losses and deferrals of the last attempt. */
  | { readonly kind: 'stop'; readonly actor: ActorName; readonly stop: Stop; readonly counters: string; readonly starts?: number }
  /** Nobody dies; what the actor meets is its own. */
  | { readonly kind: 'met'; readonly actor: ActorName; readonly counters: string; readonly starts: number }
  /** Another test plays it. */
  | { readonly kind: 'elsewhere'; readonly file: string; readonly title: string };

export interface Row {
  /** Who dies, and when. */
  readonly dies: string;
  /** What lies on disk then. */
  readonly lies: string;
  readonly repairs: string;
  readonly ends: string;
  readonly run: Run;
}

export interface Part {
  readonly title: string;
  /** What is to be known before its rows are read. */
  readonly says: string;
  readonly rows: readonly Row[];
}

/** How many of the sweeps that are marked so are drawn in each run of the tests. */
export const DRAWN = 2;

/** Every operation of one actor in turn; `ci`: all of them in each run of the tests, a drawn sample of so many, or one where the sweep is drawn among others. */
export interface Sweep {
  readonly actor: ActorName;
  readonly title: string;
  readonly ci: 'all' | 'drawn' | number;
  /** Also with a disk that is full from the operation on. */
  readonly full?: boolean;
}

const stop = (actor: ActorName, when: Stop['when'], op: string, counters: string, starts?: number, nth?: number): Run => ({ kind: 'stop', actor, stop: { when, op, ...(nth === undefined ? {} : { nth }) }, counters, ...(starts === undefined ? {} : { starts }) });
const met = (actor: ActorName, counters: string, starts: number): Run => ({ kind: 'met', actor, counters, starts });
const elsewhere = (file: string, title: string): Run => ({ kind: 'elsewhere', file, title });

const CLAIM = 'rename queue/ready/* -> queue/claimed/*';
const SETTLE = 'rename queue/claimed/* -> queue/done/x.md';
/** `merge.json` is written when the diff was judged, with the commit, and after the swap. */
const RECORDED = 2;
const MOVED = 3;
const TOLD = 'write .snakepit/log/events.jsonl';
const NEXT = 'the next tick of the pit, or of the next pit';
const ADOPTS = 'the next snake of that name, which the pit starts at once, adopts the claim';
const REAPS = '`snakepit cleanup` where no pit lives, by hand or from cron; then any snake';

export const PARTS: readonly Part[] = [
  {
    title: 'Taking in',
    says: 'One rename takes a file in. Before it the file is a drop, after it a task.',
    rows: [
      { dies: 'the pit, before it takes a drop in', lies: '`queue/x.md`, and the intake lock under a dead name', repairs: NEXT, ends: 'taken in once', run: stop('drops', 'before', 'rename queue/x.md -> queue/ready/*', '0.0.0', 1) },
      { dies: 'the pit, after the rename, before it is told', lies: '`ready/…x….md`, no event `task-added`', repairs: 'nobody needs to', ends: 'it is in line; the event is missing', run: stop('drops', 'after', 'rename queue/x.md -> queue/ready/*', '0.0.0', 1) },
      { dies: '`snakepit add`, half of the file written', lies: 'a hidden file in `queue/tmp/` that names its writer', repairs: 'say it again; the sweeper removes the half', ends: 'nothing was promised yet: no id was printed', run: stop('add', 'half', 'write queue/tmp/*', '0.0.0', 1) },
      { dies: '`snakepit add`, written, before the rename', lies: 'the whole file, hidden, in `queue/tmp/`', repairs: 'say it again; the sweeper removes the other', ends: 'as above', run: stop('add', 'before', 'rename queue/tmp/* -> queue/ready/*', '0.0.0', 1) },
      { dies: '`snakepit add`, after the rename', lies: '`ready/…x….md`, and no id was printed', repairs: 'nobody needs to; said again, it is refused: the id is taken', ends: 'it is in line, once', run: stop('add', 'after', 'rename queue/tmp/* -> queue/ready/*', '0.0.0', 1) },
    ],
  },
  {
    title: 'A snake, adopted',
    says: 'A pit lives, or comes up again: its next snake of that name goes on where the dead one stood. Nothing is counted, and a session that works is not disturbed.',
    rows: [
      { dies: 'before the claim', lies: 'its registration in `.snakepit/snakes/`', repairs: 'any snake claims', ends: 'as if nothing had been', run: stop('snake', 'before', CLAIM, '0.0.0', 1) },
      { dies: 'after the claim', lies: '`claimed/…` with a dead owner, no run directory', repairs: ADOPTS, ends: 'the same attempt', run: stop('snake', 'after', CLAIM, '0.0.0', 1) },
      { dies: 'while it makes the run directory', lies: 'half a run directory, perhaps a `launch.sh` with keys (0600)', repairs: `${ADOPTS} and makes it anew`, ends: 'the same attempt', run: stop('snake', 'after', 'rename * -> .snakepit/runs/x/*/launch.sh', '0.0.0', 1) },
      { dies: 'at its first heartbeat', lies: 'the same, fresh', repairs: ADOPTS, ends: 'the same attempt', run: stop('snake', 'after', 'touch queue/claimed/*', '0.0.0', 1) },
      { dies: 'prepared, before the launch', lies: '`attempt.json`, no `started/`', repairs: `${ADOPTS} and launches`, ends: 'the same attempt', run: stop('snake', 'after', 'rename * -> .snakepit/runs/x/*/attempt.json', '0.0.0', 1) },
      { dies: 'launched, while the session works', lies: '`started/`, `session`, a living session', repairs: ADOPTS, ends: 'the same attempt, the same session', run: stop('snake', 'before', TOLD, '0.0.0', 1, 2) },
      { dies: 'the session has ended, half of the outcome written', lies: '`exit`, half a hidden `outcome.json`', repairs: `${ADOPTS} and judges again, from the same records`, ends: 'the same attempt, the same outcome', run: stop('snake', 'half', 'write .snakepit/runs/x/*/.outcome.json.*', '0.0.0', 1) },
      { dies: 'outcome recorded, what the session left still alive', lies: '`outcome.json`, `claimed/…`, perhaps processes', repairs: `${ADOPTS}, ends them, settles`, ends: 'as recorded', run: stop('snake', 'after', 'rename * -> .snakepit/runs/x/*/outcome.json', '0.0.0', 1) },
      { dies: 'leftovers ended, before it settles', lies: '`outcome.json`, `claimed/…`', repairs: `${ADOPTS} and settles`, ends: 'as recorded', run: stop('snake', 'before', SETTLE, '0.0.0', 1) },
      { dies: 'settled, before the story', lies: '`done/x.md` alone', repairs: `${NEXT}, or cleanup: the reconciler`, ends: 'done, and its story is written from the records', run: stop('snake', 'after', SETTLE, '0.0.0', 1) },
      { dies: 'half of the story written', lies: '`done/x.md`, half a hidden `x.result.md`', repairs: `${NEXT}, or cleanup: reconciler and sweeper`, ends: 'as above', run: stop('snake', 'half', 'write queue/done/*', '0.0.0', 1) },
      { dies: 'story written, before it is told', lies: '`done/x.md`, `done/x.result.md`, no event `task-done`', repairs: 'cleanup, after a minute: the reconciler tells it', ends: 'done', run: stop('snake', 'after', 'rename * -> queue/done/x.result.md', '0.0.0', 1) },
    ],
  },
  {
    title: 'A snake, reaped',
    says: 'No pit lives, and `snakepit cleanup` comes first. What has no outcome on disk counts as a loss, and begins anew after every process of it is gone. A session that works is kept for `adopt:` in case an `up` comes; here that is nought.',
    rows: [
      { dies: 'after the claim', lies: '`claimed/…` with a dead owner', repairs: REAPS, ends: 'a second attempt, one start', run: stop('snake-reaped', 'after', CLAIM, '0.1.0', 1) },
      { dies: 'prepared, before the launch', lies: '`attempt.json`, `launch.sh`', repairs: `${REAPS}; the launcher is removed`, ends: 'a second attempt, one start', run: stop('snake-reaped', 'after', 'rename * -> .snakepit/runs/x/*/attempt.json', '0.1.0', 1) },
      { dies: 'launched, while the session works', lies: 'a living session', repairs: `${REAPS}; every process of it is ended first`, ends: 'a second attempt, two starts, never two at once', run: stop('snake-reaped', 'after', TOLD, '0.1.0', 2, 2) },
      { dies: 'the session has ended, no outcome recorded', lies: '`exit`, no `outcome.json`', repairs: REAPS, ends: 'a loss, although the session had ended: nobody judged it', run: stop('snake-reaped', 'before', 'rename * -> .snakepit/runs/x/*/outcome.json', '0.1.0', 2) },
      { dies: 'outcome recorded, before it settles', lies: '`outcome.json`, `claimed/…`', repairs: 'cleanup rolls it forward', ends: 'as recorded', run: stop('snake-reaped', 'before', SETTLE, '0.0.0', 1) },
      { dies: 'settled, before the story', lies: '`done/x.md` alone', repairs: 'cleanup: the reconciler', ends: 'done, with its story', run: stop('snake-reaped', 'after', SETTLE, '0.0.0', 1) },
    ],
  },
  {
    title: 'Trying again',
    says: 'An attempt that failed of itself waits in `waiting/` for its back-off; its count is in the name, so that it moves with it or not at all.',
    rows: [
      { dies: 'a snake, before it puts the task into `waiting/`', lies: '`outcome.json`, `claimed/…0.0.0…`', repairs: ADOPTS, ends: 'failed after two attempts, one failure counted each', run: stop('failing', 'before', 'rename queue/claimed/* -> queue/waiting/*', '1.0.0', 2) },
      { dies: 'a snake, after that', lies: '`waiting/…1.0.0.md`', repairs: 'nobody needs to', ends: 'the same', run: stop('failing', 'after', 'rename queue/claimed/* -> queue/waiting/*', '1.0.0', 2) },
      { dies: 'the pit, before it lets the task go', lies: '`waiting/…`', repairs: NEXT, ends: 'the same', run: stop('waiting', 'before', 'rename queue/waiting/* -> queue/ready/*', '1.0.0', 2) },
      { dies: 'the pit, after that', lies: '`ready/…`', repairs: 'nobody needs to', ends: 'the same', run: stop('waiting', 'after', 'rename queue/waiting/* -> queue/ready/*', '1.0.0', 2) },
      { dies: '`snakepit retry`, the old story put away, before the rename', lies: '`failed/x.md` alone; the story in the run directory', repairs: 'say it again; a pit writes the story anew meanwhile', ends: 'worked again, with fresh counters', run: stop('retry', 'before', 'rename queue/failed/x.md -> *', '0.0.0') },
      { dies: '`snakepit retry`, after the rename', lies: '`ready/…x….md`', repairs: 'nobody needs to', ends: 'worked again; one story, where the task is', run: stop('retry', 'after', 'rename queue/failed/x.md -> *', '0.0.0') },
      { dies: '`snakepit rerun`, after the rename', lies: '`ready/…x….md`', repairs: 'nobody needs to', ends: 'worked again; one story, where the task is', run: stop('rerun', 'after', 'rename queue/done/x.md -> *', '0.0.0') },
    ],
  },
  {
    title: 'Waiting for others',
    says: 'A task that waits for the children that it tossed lies in `waiting/`, under a name that was written down beforehand. An account at its limit has a file of its own, changed under its lock; a task that met the limit is deferred, and no attempt of it is counted.',
    rows: [
      { dies: 'a snake, before it lets its task wait for its children', lies: '`awaits.json`, `outcome.json`, `claimed/…`; the children in line', repairs: ADOPTS, ends: 'it waits, one deferral, and goes on when they are done', run: stop('splitting', 'before', 'rename queue/claimed/* -> queue/waiting/*~x~*', '0.0.1', 1) },
      { dies: 'the pit, before it lets go a task whose children are done', lies: '`waiting/…`', repairs: NEXT, ends: 'it goes on, no step runs twice', run: stop('children-ended', 'before', 'rename queue/waiting/* -> queue/ready/*', '0.0.1', 1) },
      { dies: 'the pit, after that', lies: '`ready/…`', repairs: 'nobody needs to', ends: 'the same', run: stop('children-ended', 'after', 'rename queue/waiting/* -> queue/ready/*', '0.0.1', 1) },
      { dies: 'a snake whose session met a limit, before the account is shut', lies: '`exit`, half a change of `breakers/<account>.json`, its lock under a dead name', repairs: `${ADOPTS} and judges again`, ends: 'the account is shut, one deferral', run: stop('limited', 'before', 'rename * -> .snakepit/breakers/theirs.json', '0.0.1', 1) },
      { dies: 'a snake, let in as the one that probes the account, before it begins', lies: 'a half-open account, `claimed/…`', repairs: `${ADOPTS}, still as the probe`, ends: 'the account is open again', run: stop('limited', 'after', 'rename * -> .snakepit/breakers/theirs.json', '0.0.1', 1, 2) },
      { dies: 'a snake, its probe answered, before the account is opened', lies: 'a half-open account, `exit`', repairs: `${ADOPTS} and tells the account again`, ends: 'the same', run: stop('limited', 'before', 'rename * -> .snakepit/breakers/theirs.json', '0.0.1', 1, 3) },
    ],
  },
  {
    title: 'The reaper',
    says: 'It fences first and looks for processes second. Whoever reaps says so in the name, so that the next one knows whether that reaper lives.',
    rows: [
      { dies: 'before the fence', lies: '`claimed/…` with a dead owner', repairs: 'the next cleanup, or the pit', ends: 'one loss, a second attempt', run: stop('reaper', 'before', 'rename queue/claimed/* -> queue/reaping/*', '0.1.0', 2) },
      { dies: 'after the fence, before it ends the session', lies: '`reaping/…~r<dead>.md`, a living session', repairs: 'the next cleanup, or the pit, takes the fence over', ends: 'one loss, never two attempts at once', run: stop('reaper', 'after', 'rename queue/claimed/* -> queue/reaping/*', '0.1.0', 2) },
      { dies: 'the session ended, half of the outcome written', lies: '`reaping/…`, half a hidden `outcome.json`', repairs: 'the same', ends: 'one loss', run: stop('reaper', 'half', 'write .snakepit/runs/x/*/.outcome.json.*', '0.1.0', 2) },
      { dies: 'outcome recorded, before it puts the task back in line', lies: '`reaping/…`, `outcome.json`', repairs: 'the same, by that outcome', ends: 'one loss, not two', run: stop('reaper', 'before', 'rename queue/reaping/* -> queue/ready/*', '0.1.0', 2) },
      { dies: 'after that, before it is told', lies: '`ready/…0.1.0.md`', repairs: 'cleanup tells it, after a minute', ends: 'one loss', run: stop('reaper', 'after', 'rename queue/reaping/* -> queue/ready/*', '0.1.0', 2) },
    ],
  },
  {
    title: 'Questions to a person',
    says: 'The task is parked by the rename of its claim, the question is written after it, and an answer lies on disk before its task moves.',
    rows: [
      { dies: 'a snake, before it parks', lies: '`outcome.json`, `claimed/…`', repairs: ADOPTS, ends: 'parked, one deferral', run: stop('parking', 'before', 'rename queue/claimed/* -> queue/needs/*', '0.0.0') },
      { dies: 'a snake, parked, before the question', lies: '`needs/…0.0.1.md` alone', repairs: `${NEXT}, or cleanup: the reconciler`, ends: 'parked, with its question', run: stop('parking', 'after', 'rename queue/claimed/* -> queue/needs/*', '0.0.0') },
      { dies: '`snakepit answer`, half of the answer written', lies: '`needs/…`, half a hidden `answer.md`', repairs: 'say it again', ends: 'answered once', run: stop('answer', 'half', 'write .snakepit/runs/x/*/.answer.md.*', '0.0.1') },
      { dies: '`snakepit answer`, written, before the rename', lies: '`needs/…`, `answer.md` in the run that asked', repairs: 'say it again, with or without words', ends: 'answered once', run: stop('answer', 'before', 'rename queue/needs/*.md -> queue/ready/*', '0.0.1') },
      { dies: '`snakepit answer`, after the rename', lies: '`ready/…`, the question still in `needs/`', repairs: 'nobody needs to; the pit puts the question away', ends: 'goes on with the answer', run: stop('answer', 'after', 'rename queue/needs/*.md -> queue/ready/*', '0.0.1') },
    ],
  },
  {
    title: 'Ended untried',
    says: 'A task that is cancelled before it ran, or that needs one that failed, ends without an attempt. Why is written before it moves.',
    rows: [
      { dies: '`snakepit cancel`, before the rename', lies: '`ready/…`, `runs/x/never.json`', repairs: 'say it again; not said again, it is worked, and the reason counts for nothing', ends: 'cancelled', run: stop('cancel', 'before', 'rename queue/ready/* -> queue/failed/x.md', '') },
      { dies: '`snakepit cancel`, after the rename', lies: '`failed/x.md` alone', repairs: `${NEXT}, or cleanup: the reconciler; after a minute it tells the event too`, ends: 'cancelled; its story says so', run: stop('cancel', 'after', 'rename queue/ready/* -> queue/failed/x.md', '') },
      { dies: 'the pit, after it failed a task that needs a failed one', lies: '`failed/x.md` alone', repairs: 'the same', ends: 'failed; its story names the task that it needed', run: stop('dependent', 'after', 'rename queue/waiting/* -> queue/failed/x.md', '') },
    ],
  },
  {
    title: 'The session',
    says: 'A session is judged by files: `exit` of its wrapper, `result.json` of the agent. Text on a screen proves nothing. What of a command died is as if it had not been said; here the agent gives up then.',
    rows: [
      { dies: '`snakepit done`, half of it written', lies: 'half a hidden `result.json`', repairs: 'nobody needs to: a half is not read', ends: 'its session failed of itself: one failure, a second attempt', run: stop('says-done', 'half', 'write .snakepit/runs/x/*result.json*', '1.0.0', 2) },
      { dies: '`snakepit ask`, half of it written', lies: 'the same', repairs: 'the same', ends: 'one failure; the second attempt asks, and is parked', run: stop('asks', 'half', 'write .snakepit/runs/x/*result.json*', '1.0.0', 2) },
      { dies: '`snakepit toss`, counted, before the child is in line', lies: '`runs/x/tossed/+part`, no child', repairs: 'nobody: it counts as tossed, and is waited for by nobody', ends: 'one failure; tossed by the second attempt', run: stop('tosses', 'before', 'rename queue/tmp/* -> queue/ready/*', '1.0.0', 2) },
      { dies: '`snakepit toss`, the child in line', lies: '`runs/x/tossed/+part`, the child', repairs: 'nobody needs to', ends: 'the child once, counted once', run: stop('tosses', 'after', 'rename queue/tmp/* -> queue/ready/*', '0.0.0', 1) },
      { dies: 'whoever types into a session, its text half-way', lies: 'a draft that is not sent', repairs: 'nobody types into a box that is not empty: the next one finds its own text and sends the key alone, or leaves a strange one to a person', ends: 'never typed twice', run: elsewhere('tests/integration/deliver.test.ts', 'a writer that was killed with its text in the composer') },
      { dies: 'the wrapper', lies: '`session`, no `exit`', repairs: 'its snake sees it dead, and ends what it left', ends: 'a loss, run again at once', run: elsewhere('tests/integration/lifecycle.test.ts', 'kill -9 of the session: a loss is counted, and it is run again at once') },
      { dies: 'nobody; a process stays behind when the session ends', lies: '`exit`, a process with our marks', repairs: 'its snake, before it settles; the orphan hunter', ends: 'as the session ended', run: elsewhere('tests/integration/lifecycle.test.ts', 'a daemon that a session leaves behind is ended before the task is settled') },
      { dies: 'nobody; the claim is taken away while its snake sleeps', lies: 'the task where somebody put it', repairs: 'its snake finds its claim missing at the next heartbeat', ends: 'it publishes nothing and ends its session', run: elsewhere('tests/integration/lifecycle.test.ts', 'a snake whose claim was taken away while it slept publishes nothing and ends its session') },
    ],
  },
  {
    title: 'tmux',
    says: 'Sessions are children of the tmux server, not of snakes. A server that does not answer proves nothing about them.',
    rows: [
      { dies: 'the tmux server', lies: 'claims of living snakes, sessions hung up', repairs: 'their snakes; the pit founds another server', ends: 'a loss each, run again', run: elsewhere('tests/integration/lifecycle.test.ts', 'kill -9 of the tmux server: sessions lost, counted, and run again on a new server') },
      { dies: 'nobody; tmux makes the session, and its answer is lost', lies: '`started/`, a living session', repairs: 'its snake looks at the files, not at the answer', ends: 'the same session', run: met('reply-lost', '0.0.0', 1) },
      { dies: 'nobody; tmux makes the session twice', lies: '`started/`, which is made once', repairs: 'the second wrapper finds it and ends', ends: 'started once', run: met('launched-twice', '0.0.0', 1) },
      { dies: 'nobody; tmux makes the session seconds after it said so', lies: 'nothing, for a while', repairs: 'nobody: a launch is repeated after ten seconds, and starts once', ends: 'started once', run: met('launched-late', '0.0.0', 1) },
      { dies: 'nobody; the server is stopped (SIGSTOP)', lies: 'what lay there', repairs: 'nobody; `status` says so', ends: 'all goes on when it is woken', run: elsewhere('tests/faults/machine.test.ts', 'a server that is stopped: nobody is robbed or started twice') },
      { dies: 'nobody; tmux hangs, whatever is asked of it', lies: 'what lay there', repairs: 'nobody; `up` begins nothing, and every command ends in its own time; `up`, `status`, `top` and `doctor` say so', ends: 'what runs ends by its files, the rest when tmux answers; `down` leaves no server', run: elsewhere('tests/faults/hung-tmux.test.ts', 'a tmux that never answers: up begins nothing; status, top, doctor and cleanup say so; what runs ends by its files; all goes on afterwards; down leaves no server') },
      { dies: 'nobody; the server does not answer', lies: 'what lay there', repairs: 'nobody: unknown is not dead', ends: 'nobody is judged until it answers', run: elsewhere('tests/watchsim/watchsim.test.ts', 'while tmux does not answer nobody is judged') },
    ],
  },
  {
    title: 'The pit, and who speaks for it',
    says: 'The pit keeps nothing to itself: whatever it decided lies on disk before it is done. Its death ends nobody.',
    rows: [
      { dies: 'the pit, at any time', lies: 'its lock under a dead name, an old snapshot', repairs: '`snakepit up`', ends: 'snakes and sessions work on and claim more; drops and waiting tasks lie until then', run: elsewhere('tests/integration/lifecycle.test.ts', 'kill -9 of the pit: snakes and sessions work on, finish and claim more; the next up takes the same snakes over') },
      { dies: 'pit and snake both', lies: 'a claim with a dead owner, a living session', repairs: '`snakepit up`; `snakepit down` finishes it too', ends: 'the same attempt', run: elsewhere('tests/integration/lifecycle.test.ts', 'kill -9 of pit and snake both: up adopts the session all the same') },
      { dies: 'the pit, while it nudges', lies: '`watch.json`', repairs: 'the next pit', ends: 'nobody is nudged twice', run: elsewhere('tests/watchsim/watchsim.test.ts', 'nudges nobody twice, though the pit is killed after each nudge') },
      { dies: 'the pit, while it answers a dialog', lies: '`ask.json`, with the press that was decided', repairs: 'the next pit', ends: 'pressed at most twice', run: elsewhere('tests/integration/needs.test.ts', 'the pit is killed at the press: another one goes on, and never presses more than twice') },
      { dies: 'the pit, with residents', lies: '`.snakepit/residents/<name>/`', repairs: 'the next pit', ends: 'the same session; no wake repeated, none lost', run: elsewhere('tests/integration/residents.test.ts', 'survives a pit that is killed: the same session, no second one, no wake repeated, none lost') },
      { dies: 'the pit, while it lays the claim of a resident\'s run', lies: 'the record `launching`, half a hidden file in `residents/<name>/claim/`', repairs: 'the next pit goes on with the same run; the sweeper removes the half', ends: 'one session', run: stop('pit-resident', 'after', 'create .snakepit/residents/boss/claim/*', '0.0.0', 1) },
      { dies: 'the pit, while it types a ping into a resident\'s session', lies: '`pings/outbox/…` as begun, the session\'s typing lock under a dead name', repairs: 'the next pit tells it unconfirmed; the lock is taken over', ends: 'typed at most once', run: stop('pit-resident', 'after', 'rename *typing/free -> *', '0.0.0', 1) },
      { dies: 'the pit, while a specialist (`specialists:`) is made or works', lies: 'its record in `.snakepit/recurring/`, an instance staged or in line', repairs: 'the next pit', ends: 'one instance for what there was to judge; its answers and commands hold', run: elsewhere('tests/integration/specialists.test.ts', 'retries one, splits one, asks about one and goes on with the answer; once, over kill -9 of the pit') },
      { dies: 'the pit, while pings are on their way', lies: 'outbox and cursors in `.snakepit/pings/`', repairs: 'the next pit', ends: 'each arrives at most once, and none is lost without an event', run: elsewhere('tests/integration/pings.test.ts', 'commits, ends of tasks and notes reach whom their rules name, once, over kill -9 of the pit') },
      { dies: 'whoever changes the state of an account', lies: 'its file, old or new', repairs: 'whoever asks next', ends: 'no attempt is spent', run: elsewhere('tests/property/breaker.property.test.ts', 'killed at any step, it is the old one or the new one, and the next goes on') },
      { dies: 'the one task that probes an account', lies: 'a half-open breaker whose claim is gone', repairs: 'whoever asks next', ends: 'another one probes', run: elsewhere('tests/integration/breaker.test.ts', 'a probe that is killed with its snake frees its slot; a person can close it') },
      { dies: 'the holder of any lock', lies: '`.snakepit/locks/…/held~<dead>`', repairs: 'whoever takes it next', ends: 'taken over at once, by one', run: elsewhere('tests/property/baton.test.ts', 'succeed one that is killed while it holds') },
    ],
  },
  {
    title: 'Worktrees',
    says: 'A worktree is its task\'s for all attempts. Nothing that lies in one is removed before every file of it was read and found on its branch or under `refs/snakepit/salvage/`. Nobody plays a crash of git itself in the middle of its writing: git renames its own files into place, and its locks are found and removed.',
    rows: [
      { dies: 'a snake whose session broke its worktree, or git with its lock', lies: '`workspace.json`, a worktree without its repository, an `index.lock`', repairs: 'the next attempt: repaired, or put aside under `.snakepit/salvage/` and made anew from its branch', ends: 'the attempt, in a sound worktree; no other is harmed', run: elsewhere('tests/integration/worktrees.test.ts', 'finds its broken worktree mended, or kept aside and made anew; no other is harmed') },
      { dies: 'a snake in a set-up, or while others wait for what it makes', lies: 'half a set-up in a worktree that is not marked, commands that still run, a lock', repairs: 'its successor ends the commands and begins anew; the lock passes on', ends: 'set up once; the others get copies', run: elsewhere('tests/integration/set-up.test.ts', 'is run before the first session and not again, its output kept; ten at once copy what one made, snakes are killed meanwhile, and nobody gets what an agent changed') },
      { dies: 'whoever keeps, copies or removes a kept set-up, at any change', lies: 'a directory beside, with the name of its writer', repairs: 'cleanup, by the writer\'s death', ends: 'an entry is whole or not there', run: elsewhere('tests/faults/setup-cache.test.ts', '%s: whoever dies at any change leaves an entry whole, or none') },
      { dies: 'whoever holds the turn at the project (`workspace: repo`)', lies: 'a lock that names its claim', repairs: 'whoever asks next, once the claim stands nowhere', ends: 'one at a time', run: elsewhere('tests/integration/worktrees.test.ts', 'works the project itself one at a time, whoever holds the turn dies') },
      { dies: 'git, with a lock that all checkouts share', lies: '`packed-refs.lock`, `packed-refs.new` or `config.lock` in the repository, or one of a ref of ours', repairs: 'the pruner, after ten minutes, where no git works in any of its checkouts', ends: 'no attempt is spent; a branch that was to be deleted is deleted then', run: elsewhere('tests/integration/worktree-cleanup.test.ts', 'are removed by the pruner once they are old and no git works there, before what they held up') },
      { dies: 'salvager or pruner, before or after any of its changes', lies: 'the work where it was, or a commit of it; a record `releasing` and half a worktree', repairs: 'the next cleanup, or the pit within the hour', ends: 'all of the work is kept, the worktree is gone, its branch too if it is merged', run: elsewhere('tests/faults/prune-sweep.test.ts', 'salvager and pruner, dead at any change, lose nothing, and whoever comes next ends it') },
    ],
  },
  {
    title: 'Merging',
    says: 'A merge is a commit, recorded before the target is moved to it. Whether the target was moved is asked of git, and remembered by nobody.',
    rows: [
      { dies: 'a snake, its merge recorded, before the target moves', lies: '`merge.json` with the commit, which nothing points to', repairs: `${ADOPTS} and moves the target to it`, ends: 'merged once', run: stop('merging', 'after', 'rename * -> .snakepit/runs/x/*/merge.json', '0.0.0', 1, RECORDED) },
      { dies: 'a snake, the target moved, before it records so', lies: 'the target at the commit', repairs: `${ADOPTS} and finds the commit in the target`, ends: 'merged once', run: stop('merging', 'before', 'rename * -> .snakepit/runs/x/*/merge.json', '0.0.0', 1, MOVED) },
      { dies: '`snakepit merge`, its merge recorded, before the target moves', lies: '`done/x.md`, `merge.json` with the commit, which nothing points to', repairs: 'say it again', ends: 'merged once, and its story says so', run: stop('merge-by-hand', 'after', 'rename * -> .snakepit/runs/x/*/merge.json', '0.0.0', 1) },
      { dies: '`snakepit merge`, the target moved, before the records say so', lies: '`done/x.md`, the target at the commit', repairs: 'say it again: it finds the commit in the target', ends: 'the same', run: stop('merge-by-hand', 'before', 'rename * -> .snakepit/runs/x/*/outcome.json', '0.0.0', 1) },
      { dies: '`snakepit merge` of a task that its merge parked, decided, before the rename', lies: '`needs/…x….md`, the decision in a run directory', repairs: 'the same', ends: 'done and merged once', run: stop('merge-parked', 'before', 'rename queue/needs/* -> queue/done/x.md', '0.0.1', 1) },
      { dies: '`snakepit merge`, while it checks the merged tree', lies: 'a checkout in `.snakepit/merging/`, a check that runs on', repairs: 'say it again: the check is ended, the checkout made anew', ends: 'merged once', run: met('merge-killed-in-check', '0.0.0', 1) },
      { dies: 'the same', lies: 'the same', repairs: 'cleanup, where nobody says it again: the check\'s command is dead; so does `snakepit down`, and the snake that gets the task next', ends: 'done, not merged', run: met('merge-killed-for-cleanup', '0.0.0', 1) },
      { dies: '`snakepit reject`, decided, before the rename', lies: '`done/x.md`, its story put away; all that it made under `refs/snakepit/`', repairs: 'say it again', ends: 'failed; its branch and what nobody committed are kept', run: stop('reject', 'before', 'rename queue/done/x.md -> queue/failed/x.md', '0.0.1', 1) },
      { dies: '`snakepit reject`, after the rename', lies: '`failed/x.md`, its worktree', repairs: 'say it again; the worktree is the pruner\'s otherwise', ends: 'the same', run: stop('reject', 'after', 'rename queue/done/x.md -> queue/failed/x.md', '0.0.1', 1) },
      { dies: '`snakepit reject --again`, after the task is parked, before its author has the words', lies: '`needs/…x….md`', repairs: 'say it again', ends: 'its author is told once', run: stop('reject-again', 'after', 'rename queue/done/x.md -> queue/needs/*', '0.0.2', 2) },
      { dies: 'a snake, before it pushes the branch that it proposes', lies: '`merge.json` with the commit that it will push', repairs: ADOPTS, ends: 'pushed, and proposed once', run: stop('proposing', 'after', 'rename * -> .snakepit/runs/x/*/merge.json', '0.0.0', 1, RECORDED) },
      { dies: 'a snake, its pull request opened, before it records so', lies: 'the branch at the remote, the pull request', repairs: `${ADOPTS}, finds the pull request and takes it for its own`, ends: 'the same', run: stop('proposing', 'before', 'rename * -> .snakepit/runs/x/*/merge.json', '0.0.0', 1, MOVED) },
    ],
  },
  {
    title: 'The machine',
    says: 'A claim names the boot of its owner. A clock that jumps or sleeps is no death.',
    rows: [
      { dies: 'all, and the machine starts anew', lies: 'claims of another boot', repairs: '`snakepit up`, or cleanup', ends: 'a loss each, run again', run: elsewhere('tests/integration/lifecycle.test.ts', 'a claim of another boot is requeued by up, one loss counted, and run to its end') },
      { dies: 'nobody; a snake is stopped (SIGSTOP), however long', lies: 'a late heartbeat', repairs: 'nobody: it lives', ends: 'reported, never robbed; woken, it goes on', run: elsewhere('tests/integration/lifecycle.test.ts', 'a SIGSTOPped snake is not robbed, however late, by the pit or by cleanup; woken, it goes on') },
      { dies: 'nobody; the disk takes no more', lies: 'what was whole stays whole; renames still go', repairs: 'pit and snakes wait, and go on once there is room', ends: 'nothing is claimed below `min-free:`; each task ends once', run: elsewhere('tests/faults/machine.test.ts', 'ENOSPC: add says so and leaves nothing half') },
      { dies: 'nobody; a right is taken from the pit\'s user, in the queue or in `.snakepit/`', lies: 'what lay there', repairs: 'pit and snakes wait, and go on once it is given back; `status` and `doctor` say who waits, for which path, and what to do', ends: 'each task ends once', run: elsewhere('tests/faults/plain-user.test.ts', 'in the queue: who cannot go on says so and waits; add says so and leaves nothing half; all goes on when it is given back') },
      { dies: 'nobody; a task takes the rights from its own worktree', lies: 'directories that cannot be read', repairs: 'its snake gives them back, since they are ours; what git still cannot read is a failure of the attempt', ends: 'its work is kept, its worktree goes in its time', run: elsewhere('tests/faults/plain-user.test.ts', 'what a task takes from us in its own worktree keeps neither its snake nor its work; its worktree goes in its time') },
      { dies: 'nobody; the pit has no descriptors left', lies: 'what lay there', repairs: 'it waits, and goes on once there are some; `status` says so', ends: 'nobody is taken for dead', run: elsewhere('tests/faults/machine.test.ts', 'out of descriptors: the pit does not take') },
      { dies: 'nobody; the clock is set, a day back or ahead', lies: 'times of a day from now', repairs: 'nobody: durations are monotonic; a back-off that began in what is the future now is over, and an account that was shut then lets one in to see. `at:`, and a wait that names a day, mean the clock as it stands', ends: 'nothing is ended, made twice, or waits for a day', run: elsewhere('tests/faults/clock-jump.test.ts', 'a day back and a day ahead, in a session, a back-off, what waits for a task, a template: nothing is lost, ended, made twice, or waits for a day') },
      { dies: 'nobody; inotify is used up', lies: 'what lay there', repairs: 'nobody needs to: all is found by looking; `up`, `doctor` and the logs say so', ends: 'as always, a little later', run: elsewhere('tests/faults/machine.test.ts', 'no inotify instance, or no watch: all goes on by looking') },
      { dies: 'all at random, hundreds of times', lies: 'anything of the above', repairs: 'whoever comes', ends: 'each task once, counts exact, never two at once', run: elsewhere('tests/faults/chaos.test.ts', 'each ends exactly once') },
    ],
  },
];

export const SWEEPS: readonly Sweep[] = [
  { actor: 'drops', title: 'taking in a dropped file', ci: 'all', full: true },
  { actor: 'add', title: '`snakepit add`', ci: 4, full: true },
  { actor: 'snake', title: 'a snake with a task that is done', ci: 3, full: true },
  { actor: 'snake-reaped', title: 'the same, and no snake of its name follows: cleanup comes first', ci: 3 },
  { actor: 'failing', title: 'a snake with a task that fails twice and may do so twice', ci: 2 },
  { actor: 'waiting', title: 'letting a task go that has waited', ci: 4, full: true },
  { actor: 'reaper', title: 'the reaper, over a dead snake whose session works', ci: 4, full: true },
  { actor: 'retry', title: '`snakepit retry` of a failed task', ci: 4, full: true },
  { actor: 'rerun', title: '`snakepit rerun` of a done task, which fails this time', ci: 'all' },
  { actor: 'parking', title: 'a snake whose session asks a person', ci: 2 },
  { actor: 'answer', title: '`snakepit answer`', ci: 4, full: true },
  { actor: 'recurring', title: 'making the instance of a template that is due', ci: 4 },
  { actor: 'archive', title: 'archivist and composter', ci: 4, full: true },
  { actor: 'reconciler', title: 'reconciler and sweeper', ci: 3, full: true },
  { actor: 'salvager', title: 'the salvager, over the work of a failed task', ci: 1 },
  { actor: 'pruner', title: 'the pruner, over a worktree that is salvaged', ci: 1 },
  { actor: 'cancel', title: '`snakepit cancel` of a task in line', ci: 2, full: true },
  { actor: 'dependent', title: 'failing a task that needs a failed one', ci: 1 },
  { actor: 'says-done', title: '`snakepit done` in a session', ci: 1 },
  { actor: 'asks', title: '`snakepit ask` in a session', ci: 1 },
  { actor: 'tosses', title: '`snakepit toss` in a session', ci: 1 },
  { actor: 'merging', title: 'a snake that merges its branch', ci: 2 },
  { actor: 'splitting', title: 'a snake with a task that tosses a part and waits for it', ci: 'drawn' },
  { actor: 'children-ended', title: 'letting a task go whose children are done', ci: 'drawn' },
  { actor: 'limited', title: 'a snake whose account is at its limit, is probed, and opens again', ci: 'drawn' },
  { actor: 'merge-by-hand', title: '`snakepit merge` of a done task', ci: 'drawn' },
  { actor: 'merge-parked', title: '`snakepit merge` of a task that its merge parked', ci: 'drawn' },
  { actor: 'reject', title: '`snakepit reject` of a done task', ci: 'drawn' },
  { actor: 'reject-again', title: '`snakepit reject --again` of a done task', ci: 'drawn' },
  { actor: 'proposing', title: 'a snake that pushes its branch and opens a pull request', ci: 'drawn' },
  { actor: 'cleanup-live', title: 'cleanup beside a living snake and its session', ci: 1 },
  { actor: 'pit', title: 'the pit from start to end, with a snake, a resident and a hook', ci: 2 },
  { actor: 'pit-resident', title: 'the pit from start to end, with a resident in its full screen that is pinged', ci: 'drawn' },
];
