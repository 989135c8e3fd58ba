import { basename } from 'node:path';
import { parseClaim, type ClaimName } from '../../protocol/names.js';
import { openContext, print, printJson, readSnapshot, type Context } from '../context.js';
import { configInForce } from '../config-in-force.js';
import { renderExplanation, type Explanation } from '../explain/explanation.js';
import { explainResident } from '../explain/resident.js';
import { explainRunning } from '../explain/running.js';
import { explainStanding } from '../explain/waiting.js';
import { findTask } from '../find.js';
import { whyNothingIsClaimed } from '../hindrance.js';
import { findResident } from '../residents.js';
import { checkSnake, findRunning, isSnakeName } from './running.js';

const EVERY_MS = 1000;

/** State, evidence with ages, the rule that holds, and what comes next: of a task, of what a snake is at, or of a resident. */
export async function explain(dir: string | undefined, name: string, options: { json?: boolean; watch?: boolean }): Promise<void> {
  const context = openContext(dir);
  let before = '';
  for (;;) {
    const explanation = await explainName(context, name);
    const nowMs = context.clock.wallMs();
    if (options.json === true) printJson({ at: nowMs, ...explanation });
    else if (options.watch !== true) print(renderExplanation(explanation, nowMs));
    else {
      // Ages alone are no news.
      const facts = JSON.stringify([explanation.state, explanation.rule, explanation.decided, explanation.evidence.map(({ witness, says }) => [witness, says])]);
      if (facts !== before) print(`${before === '' ? '' : '\n'}${new Date(nowMs).toISOString()}  ${renderExplanation(explanation, nowMs)}`);
      before = facts;
    }
    if (options.watch !== true) return;
    await context.clock.sleep(EVERY_MS);
  }
}

async function explainName(context: Context, name: string): Promise<Explanation> {
  const config = await configInForce(context);
  const resident = await findResident(context, name);
  if (resident !== undefined) return explainResident(context, config, resident);
  const claim = (await findRunning(context, name)) ?? (isSnakeName(name) ? undefined : await claimOf(context, name));
  if (claim !== undefined) return explainRunning(context, config, claim);
  if (!isSnakeName(name)) return explainStanding(context, await findTask(context, name));
  await checkSnake(context, name);
  const row = (await readSnapshot(context))?.snakes.find(({ snake }) => snake === name);
  const rule = (await whyNothingIsClaimed(context)) ?? (row?.state === 'up' ? 'it waits for a task; nothing stands in line for it' : (row?.why ?? `the pit has it as ${row?.state ?? 'no snake of its own'}`));
  return { name, state: row === undefined ? 'not wanted' : row.state === 'up' ? 'idle' : row.state, rule, evidence: row?.pid === undefined ? [] : [{ witness: 'process', says: `pid ${row.pid}` }], decided: [], next: [] };
}

/** A running task that was named by its file. */
async function claimOf(context: Context, name: string): Promise<ClaimName | undefined> {
  const { id, state, file } = await findTask(context, name);
  return state === 'claimed' ? (parseClaim(basename(file)) ?? (await findRunning(context, id))) : undefined;
}
