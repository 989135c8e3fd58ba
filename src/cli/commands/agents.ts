import { existsSync } from 'node:fs';
import { show } from '../../lib/text.js';
import { accountsOf } from '../../agents/choice.js';
import { findAgent, loginsOf, type Found } from '../../agents/find.js';
import type { AgentProfile } from '../../agents/profile.js';
import { openContext, print, printJson, readAgents, readConfig, type Context } from '../context.js';
import { coolingAccounts, coolingWords, type CoolingAccount } from '../cooling.js';
import { CliError, EXIT } from '../exit.js';
import { paint, table } from '../style.js';

/** One profile as this machine has it. */
export interface AgentRow {
  readonly name: string;
  readonly title: string;
  readonly found: Found;
  readonly modes: readonly string[];
  readonly logins: { readonly present: readonly string[]; readonly known: readonly string[] };
  readonly tested: readonly string[];
  readonly caveat: string | undefined;
  readonly breakers: readonly CoolingAccount[];
}

export async function describe(profile: AgentProfile, open: readonly CoolingAccount[]): Promise<AgentRow> {
  const keys = new Set(accountsOf(profile).map((account) => account.key));
  return {
    name: profile.name,
    title: profile.title,
    found: await findAgent(profile, process.env),
    modes: [...(profile.headless === undefined ? [] : ['headless']), ...(profile.interactive === undefined ? [] : ['interactive'])],
    logins: loginsOf(profile, process.env, existsSync),
    tested: profile.tested,
    caveat: profile.caveat,
    breakers: open.filter((breaker) => keys.has(breaker.account)),
  };
}

export async function profileCalled(context: Context, name: string): Promise<AgentProfile> {
  const { chooseAgent } = await import('../../agents/choice.js');
  const choosing = chooseAgent(await readAgents(context, await readConfig(context)), [name], () => undefined);
  if (!choosing.ok) throw new CliError(choosing.error, EXIT.notFound);
  if (choosing.value.kind !== 'chosen') throw new CliError(choosing.value.why, EXIT.busy);
  const { chosen } = choosing.value;
  return { ...chosen.agent, ...(chosen.model === undefined ? {} : { model: chosen.model }), ...(chosen.reasoning === undefined ? {} : { reasoning: chosen.reasoning }) };
}

/** `snakepit agents`: every profile, what there is of it here, and what it lacks. */
export async function listAgents(dir: string | undefined, options: { json?: boolean }): Promise<void> {
  const context = openContext(dir);
  const profiles = Object.values(await readAgents(context, await readConfig(context)));
  const open = await coolingAccounts(context);
  const rows = await Promise.all(profiles.map((profile) => describe(profile, open)));
  if (options.json === true) return printJson({ agents: rows });
  print(table([['AGENT', 'VERSION', 'MODES', 'REMARK'], ...rows.map((row) => [row.name, versionOf(row), row.modes.join(', '), remark(row, context.clock.wallMs())])], (cell, column, row) => (row === 0 ? paint('bold', cell) : column === 1 && rows[row - 1]?.found.kind === 'missing' ? paint('dim', cell) : cell)));
}

const versionOf = ({ found }: AgentRow): string => (found.kind === 'found' ? (found.version ?? 'found') : '-');

function remark(row: AgentRow, nowMs: number): string {
  const { found, logins, breakers } = row;
  const parts: string[] = [];
  if (found.kind === 'missing') parts.push(`not found: ${found.programs.join(', ')}`);
  else if (logins.known.length > 0 && logins.present.length === 0) parts.push(`no login found: set ${logins.known[0] ?? ''}`);
  for (const breaker of breakers) parts.push(`${breaker.account} ${coolingWords(breaker, nowMs)}`);
  if (row.caveat !== undefined) parts.push(row.caveat);
  return show(parts.length === 0 ? row.title : parts.join('; '));
}

/** `snakepit agents show NAME`: the profile in force, as it could stand in a file. */
export async function showAgent(dir: string | undefined, name: string, options: { json?: boolean }): Promise<void> {
  const profile = await profileCalled(openContext(dir), name);
  if (options.json === true) return printJson({ profile });
  const { printProfile } = await import('../../agents/load-profiles.js');
  print(printProfile(profile).trimEnd());
}
