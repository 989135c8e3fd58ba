import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseChoice } from '../../agents/choice.js';
import type { AgentProfile } from '../../agents/profile.js';
import { trial } from '../../agents/trial.js';
import { formatDuration } from '../../lib/duration.js';
import { show } from '../../lib/text.js';
import { openContext, print, printJson } from '../context.js';
import { coolingAccounts, coolingWords } from '../cooling.js';
import { CliError, EXIT } from '../exit.js';
import { paint, table } from '../style.js';
import { describe, profileCalled, type AgentRow } from './agents.js';

interface Check {
  readonly check: string;
  readonly level: 'ok' | 'warn' | 'bad';
  readonly fact: string;
}

/** `snakepit agents check NAME`: is it here, in a known version, with a login; `--live`: does it answer. Exit code 69 when it could not work a task. */
export async function checkAgent(dir: string | undefined, name: string, options: { live?: boolean; json?: boolean; timeoutMs: number }): Promise<void> {
  const context = openContext(dir);
  const profile = await profileCalled(context, name);
  const row = await describe(profile, await coolingAccounts(context));
  const checks = [...standing(row, profile)];
  const canRun = checks.every((one) => one.level !== 'bad');
  if (options.live === true) checks.push(canRun ? await live(profile, parseChoice(name), options.timeoutMs) : { check: 'answers', level: 'bad', fact: 'not tried: see above' });
  if (options.json === true) printJson({ agent: profile.name, checks });
  else print(table(checks.map((one) => [one.level === 'bad' ? 'BAD' : one.level, one.check, one.fact]), (cell, column, index) => (column === 0 ? paint(checks[index]?.level === 'ok' ? 'green' : checks[index]?.level === 'warn' ? 'yellow' : 'red', cell) : cell)));
  if (checks.some((one) => one.level === 'bad')) throw new CliError(`${profile.name} could not work a task here: ${checks.filter((one) => one.level === 'bad').map((one) => one.check).join(', ')}`, EXIT.unavailable);
}

function standing({ found, logins, tested, caveat, breakers }: AgentRow, profile: AgentProfile): Check[] {
  const checks: Check[] = [];
  if (found.kind === 'missing') checks.push({ check: 'program', level: 'bad', fact: `${found.programs.join(', ')} not on the PATH → ${profile.install}` });
  else {
    checks.push({ check: 'program', level: 'ok', fact: found.path });
    const known = found.version === undefined || tested.length === 0 || tested.includes(found.version);
    checks.push({ check: 'version', level: known ? 'ok' : 'warn', fact: `${found.version ?? 'not told'}${known ? '' : `; tested with ${tested.join(', ')}: if its screens or events changed, lay new rules over it in snakepit.yaml`}` });
  }
  if (logins.known.length > 0) checks.push({ check: 'login', level: logins.present.length > 0 ? 'ok' : 'warn', fact: logins.present.length > 0 ? logins.present.join(', ') : `none of ${logins.known.join(', ')} is there` });
  if (caveat !== undefined) checks.push({ check: 'profile', level: 'warn', fact: caveat });
  for (const breaker of breakers) checks.push({ check: 'account', level: breaker.state === 'open' ? 'bad' : 'warn', fact: `${breaker.account}: ${coolingWords(breaker, Date.now())}` });
  return checks;
}

/** A session of its own, in a directory of its own, that is asked for one word. */
async function live(profile: AgentProfile, choice: { model: string | undefined; reasoning: string | undefined }, timeoutMs: number): Promise<Check> {
  if (profile.headless === undefined || profile.headless.prompt === 'blocks') return { check: 'answers', level: 'warn', fact: 'not tried: it has no print mode that takes a prompt' };
  const dir = mkdtempSync(join(tmpdir(), 'snakepit-check-'));
  try {
    const { state, answer, tookMs } = await trial(profile, choice, dir, process.env, timeoutMs);
    const fact = `${state.kind} after ${formatDuration(tookMs)}: ${show(answer ?? `${state.rule}: ${state.evidence}`)}`;
    return { check: 'answers', level: state.kind === 'finished' ? 'ok' : 'bad', fact };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
