import { formatDuration } from '../../lib/duration.js';
import { code, prose } from './markdown.js';
import type { Night, Shut } from './night.js';

const many = (count: number, one: string, several = `${one}s`): string => `${count} ${count === 1 ? one : several}`;

type Counts = Readonly<Record<string, number>>;

const sum = (counts: Counts): number => Object.values(counts).reduce((a, b) => a + b, 0);

/** "verify-failed 3, timeout 1", the commonest first. */
function each(counts: Counts): string {
  const rows = Object.entries(counts).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return [...rows.slice(0, 6).map(([name, count]) => `${prose(name, 60)} ${count}`), ...(rows.length > 6 ? [`and ${rows.length - 6} more`] : [])].join(', ');
}

/** A line where there is something to tell. */
const line = (holds: boolean, text: () => string): string[] => (holds ? [`- ${text()}`] : []);

/** What died and was mended, and what was waited for: a list, empty for a quiet night. */
export function mendedLines(night: Night, to: number): string[] {
  const died = sum(night.snakesDied);
  return [
    ...line(sum(night.again) > 0, () => `${many(sum(night.again), 'attempt')} led to another one of the same task: ${each(night.again)}`),
    ...line(died > 0, () => `${many(died, 'snake')} died (${each(night.snakesDied)})`),
    ...Object.entries(night.snakesBroken).map(([snake, why]) => `- ${prose(snake)} is broken: ${prose(why)}; ${code(`snakepit logs ${snake}`)}, then ${code('snakepit up')}`),
    ...line(night.adopted > 0, () => `${many(night.adopted, 'session')} of dead snakes went on with another one`),
    ...line(night.reaped > 0, () => `${many(night.reaped, 'claim')} of dead snakes ${night.reaped === 1 ? 'was' : 'were'} taken back`),
    ...line(night.lostClaims > 0, () => `${many(night.lostClaims, 'claim')} moved away under a snake, which stopped`),
    ...line(night.orphans > 0, () => `${many(night.orphans, 'process', 'processes')} that belonged to nobody any more ${night.orphans === 1 ? 'was' : 'were'} ended`),
    ...line(sum(night.judged) > 0, () => `${many(sum(night.judged), 'session')} given up by the watchdog: ${each(night.judged)}`),
    ...line(night.nudged > 0, () => `${many(night.nudged, 'text')} typed into silent sessions`),
    ...line(night.allowed > 0, () => `${many(night.allowed, 'dialog')} answered by the pit`),
    ...Object.entries(night.shut).map(([account, shut]) => `- ${shutWords(account, shut, to)}`),
    ...line(sum(night.mergeRefused) > 0, () => `${many(sum(night.mergeRefused), 'merge')} refused: ${each(night.mergeRefused)}`),
    ...Object.entries(night.budgets).map(([rule, evidence]) => `- ${prose(rule)} (${prose(evidence)})`),
    ...line(sum(night.residentsBroken) > 0, () => `residents that died too often and rest: ${each(night.residentsBroken)}`),
    ...line(sum(night.residentsEnded) > 0, () => `residents that ended: ${each(night.residentsEnded)}`),
    ...line(night.pingsDropped > 0, () => `${many(night.pingsDropped, 'ping')} could not be delivered: ${code('snakepit events --kind ping-dropped')}`),
    ...line(night.pingGaps > 0, () => `a rule of pings: may have missed something, ${night.pingGaps === 1 ? 'once' : `${night.pingGaps} times`}: ${code('snakepit events --kind ping-gap')}`),
  ];
}

function shutWords(account: string, { times, ms, reason, since }: Shut, to: number): string {
  const whole = ms + (since === undefined ? 0 : Math.max(0, to - since));
  const now = since === undefined ? '' : `, and is shut now (${code('snakepit breakers')})`;
  return `the account ${prose(account, 80)} was shut ${times === 1 ? 'once' : `${times} times`} (${prose(reason, 60)}), ${formatDuration(whole)} in all${now}`;
}

/** What happened to pit, machine and configuration. */
export function machineLines(night: Night): string[] {
  return [
    ...line(night.reboots > 0, () => `the machine was restarted ${night.reboots === 1 ? 'once' : `${night.reboots} times`}`),
    ...line(night.pitStarts + night.pitStops > 0, () => `the pit started ${many(night.pitStarts, 'time')} and stopped in order ${many(night.pitStops, 'time')}`),
    ...line(night.paused + night.resumed > 0, () => `claiming was paused ${many(night.paused, 'time')} and resumed ${many(night.resumed, 'time')}`),
    ...line(night.configChanged > 0, () => `snakepit.yaml changed ${many(night.configChanged, 'time')}`),
    ...line(night.configRefused !== undefined, () => `an edit of snakepit.yaml was refused: ${prose(night.configRefused ?? '')}`),
    ...line(night.scheduled + night.skipped > 0, () => `${many(night.scheduled, 'task')} made from templates, ${night.skipped} left out`),
    ...line(night.salvaged + night.worktreesRemoved > 0, () => `${many(night.worktreesRemoved, 'worktree')} removed; uncommitted work of ${many(night.salvaged, 'task')} kept under refs/snakepit/salvage/`),
  ];
}
