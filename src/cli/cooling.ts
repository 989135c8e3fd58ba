import { basename } from 'node:path';
import { openBreakers } from '../agents/breaker.js';
import { chooseAgent, wantedAgents, type Profiles } from '../agents/choice.js';
import { parseWaiting } from '../protocol/names.js';
import { parseTask } from '../protocol/parse-task.js';
import { parseJson } from '../protocol/records.js';
import type { Located } from '../queue/locate.js';
import { dueTime } from '../queue/place.js';
import { readConfig, type Context } from './context.js';

/** Why a task waits for a time that it does not name itself: every account that it may use is at its limit. */
export async function coolingWhy(context: Context, task: Located): Promise<string | undefined> {
  const { files, layout, clock } = context;
  const nowMs = clock.wallMs();
  const name = parseWaiting(basename(task.file));
  if (name === undefined || name.dueAt <= nowMs) return undefined;
  const bytes = await files.readBytes(task.file, 16 * 1024 * 1024);
  const parsed = bytes === undefined ? undefined : await parseTask(bytes);
  const breakers = await openBreakers(files, layout.breakers, nowMs);
  const profiles = parseJson<Profiles>(await files.read(layout.agents));
  if (parsed?.ok !== true || dueTime(parsed.value.spec, name.place.arrivedAt) > nowMs || breakers.length === 0 || profiles === undefined) return undefined;
  const choosing = chooseAgent(profiles, wantedAgents(parsed.value.spec.agents, (await readConfig(context)).agent, undefined), (key) => breakers.find((one) => one.account === key)?.until);
  if (!choosing.ok || choosing.value.kind !== 'cooling') return undefined;
  return `${choosing.value.why} until ${new Date(Math.max(choosing.value.until, name.dueAt)).toISOString()}`;
}
