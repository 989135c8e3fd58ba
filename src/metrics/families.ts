import type { Sum } from '../ledger/sum.js';
import type { Family, Sample } from './exposition.js';
import type { MetricFacts } from './facts.js';

const one = (value: number | undefined): Sample[] => (value === undefined ? [] : [{ value }]);
const by = (label: string, values: Readonly<Record<string, number>>): Sample[] => Object.entries(values).map(([name, value]) => ({ labels: { [label]: name }, value }));
const gauge = (name: string, help: string, samples: readonly Sample[]): Family => ({ name: `snakepit_${name}`, type: 'gauge', help, samples });
const counter = (name: string, help: string, samples: readonly Sample[]): Family => ({ name: `snakepit_${name}_total`, type: 'counter', help, samples });
const bit = (value: boolean): number => (value ? 1 : 0);
const of = (counts: Readonly<Record<string, number>>, name: string): number => (Object.hasOwn(counts, name) ? (counts[name] ?? 0) : 0);

const BREAKER_STATES = ['closed', 'open', 'half-open', 'releasing'] as const;
/** Kinds of tokens as labels, of which none is a part of another. */
const KINDS = [['input', 'input'], ['output', 'output'], ['cacheRead', 'cache_read'], ['cacheWrite', 'cache_write']] as const;

/** Pure: every metric of a pit. Names never change their meaning; docs/metrics.md lists them. */
export function familiesOf(facts: MetricFacts): Family[] {
  return [...pitFamilies(facts), ...queueFamilies(facts), ...accountFamilies(facts), ...eventFamilies(facts)];
}

function pitFamilies({ at, version, pit, paused, configRefused, tmuxUp, sessions, snakesWanted, snakes, residents, disk, outbox }: MetricFacts): Family[] {
  return [
    gauge('build_info', 'Always 1; the version of snakepit is a label.', [{ labels: { version }, value: 1 }]),
    gauge('metrics_timestamp_seconds', 'When these metrics were gathered.', [{ value: at / 1000 }]),
    gauge('pit_up', 'Whether a pit runs.', [{ value: bit(pit.up) }]),
    gauge('pit_start_time_seconds', 'When it was started.', one(pit.startedAt === undefined ? undefined : pit.startedAt / 1000)),
    gauge('queue_paused', 'Whether snakepit pause holds the queue.', [{ value: bit(paused) }]),
    gauge('config_refused', 'Whether the last edit of snakepit.yaml was refused.', [{ value: bit(configRefused) }]),
    gauge('tmux_up', 'Whether tmux answered the pit.', one(tmuxUp === undefined ? undefined : bit(tmuxUp))),
    gauge('sessions', 'Sessions in the pit\'s tmux.', [{ value: sessions }]),
    gauge('snakes_wanted', 'Snakes that are wanted.', [{ value: snakesWanted }]),
    gauge('snakes', 'Snakes by what their slot is: up, starting, draining, backing-off, broken, empty.', by('state', snakes)),
    gauge('residents', 'Residents by state.', by('state', residents)),
    gauge('disk_used_bytes', 'What worktrees and runs take, as measured last.', one(disk.used)),
    gauge('disk_limit_bytes', 'disk: of the configuration; 0 is no limit.', [{ value: disk.limit }]),
    gauge('disk_free_bytes', 'Free on the filesystem of the pit.', one(disk.free)),
    gauge('notifications_waiting', 'Pings and calls of hooks that wait to be delivered.', [{ value: outbox }]),
  ];
}

function queueFamilies({ at, tasks, refused, oldestAt }: MetricFacts): Family[] {
  return [
    gauge('tasks', 'Tasks by where they lie under queue/.', by('state', tasks)),
    gauge('refused_files', 'Dropped files that were not taken in and not mended yet.', [{ value: refused }]),
    gauge('oldest_task_seconds', 'Since the oldest task of the state was put in line; 0: there is none.', Object.entries(oldestAt).map(([state, since]) => ({ labels: { state }, value: since === undefined ? 0 : Math.max(0, at - since) / 1000 }))),
  ];
}

function accountFamilies({ breakers, used }: MetricFacts): Family[] {
  const each = (value: (sum: Sum) => number): Sample[] => [...used].map(([account, sum]) => ({ labels: { account }, value: value(sum) }));
  const all = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0);
  return [
    gauge('breaker_state', '1 for the state that the account\'s breaker is in, 0 for the others.', breakers.flatMap(({ account, state }) => BREAKER_STATES.map((name) => ({ labels: { account, state: name }, value: bit(name === state) })))),
    gauge('breaker_open_until_timestamp_seconds', 'Until when an account is shut.', breakers.flatMap(({ account, until }) => (until === undefined ? [] : [{ labels: { account }, value: until / 1000 }]))),
    counter('tokens', 'Tokens that attempts used, by account and kind.', [...used].flatMap(([account, sum]) => KINDS.map(([figure, kind]) => ({ labels: { account, kind }, value: sum[figure] })))),
    counter('reasoning_tokens', 'The part of the output tokens that was reasoning.', each(({ reasoning }) => reasoning)),
    counter('cost_usd', 'US dollars by the lists of prices, of all that has a price.', each(({ usd }) => usd)),
    counter('agent_seconds', 'How long sessions ran.', each(({ ms }) => ms / 1000)),
    counter('unpriced_attempts', 'Counted attempts without a price: their money is in no sum.', each(({ unpriced }) => all(unpriced))),
    counter('uncounted_attempts', 'Attempts whose tokens are not known.', each(({ uncounted }) => all(uncounted))),
  ];
}

function eventFamilies({ tally }: MetricFacts): Family[] {
  const { events, ended, counted, breakers, orphans } = tally;
  return [
    counter('tasks_added', 'Files that became tasks.', [{ value: of(events, 'task-added') }]),
    counter('tasks_ended', 'Ends of tasks by state; needs: parked with a question.', ['done', 'failed', 'needs'].map((state) => ({ labels: { state }, value: of(ended, state) }))),
    counter('attempts', 'Attempts that were begun.', [{ value: of(events, 'task-claimed') }]),
    counter('attempt_failures', 'Attempts that were counted as failures of their task; told when the task is claimed again, or has failed.', [{ value: of(counted, 'failures') }]),
    counter('losses', 'Attempts whose worker or session vanished; told when the task is claimed again, or has failed.', [{ value: of(counted, 'losses') }]),
    counter('deferrals', 'Attempts that were put off: limits, drains, questions; told when the task is claimed again, or has failed.', [{ value: of(counted, 'deferrals') }]),
    counter('reaps', 'Claims that were taken from dead snakes.', [{ value: of(events, 'claim-reaped') }]),
    counter('orphans_ended', 'Processes that belonged to no living claim and were ended.', [{ value: orphans }]),
    counter('nudges', 'Texts that were typed into silent sessions.', [{ value: of(events, 'nudged') }]),
    counter('merges', 'Branches by what became of them.', [{ labels: { result: 'merged' }, value: of(events, 'task-merged') }, { labels: { result: 'refused' }, value: of(events, 'merge-refused') }]),
    counter('breaker_openings', 'How often an account was shut.', by('account', breakers)),
    counter('events', 'Lines of the event log, by kind.', by('kind', events)),
  ];
}
