import { parseTask } from '../../protocol/parse-task.js';
import { parseWaiting } from '../../protocol/names.js';
import { basename } from 'node:path';
import { dueTime } from '../../queue/place.js';
import type { Located } from '../../queue/locate.js';
import { projectDir } from '../../workspace/ground.js';
import { turnHolder } from '../../workspace/turn.js';
import type { Context } from '../context.js';
import { configInForce } from '../config-in-force.js';

/** A task that works the project itself waits while another does: whose turn it is; undefined: that is not why it waits. */
export async function turnWhy(context: Context, { id, file }: Located): Promise<string | undefined> {
  const { files, layout, clock } = context;
  const name = parseWaiting(basename(file));
  const bytes = name === undefined ? undefined : await files.readBytes(file, 16 * 1024 * 1024);
  const parsed = bytes === undefined ? undefined : await parseTask(bytes);
  if (name === undefined || parsed?.ok !== true || dueTime(parsed.value.spec, name.place.arrivedAt) > clock.wallMs()) return undefined;
  const config = await configInForce(context);
  if ((parsed.value.spec.workspace ?? config.workspace) !== 'repo') return undefined;
  const holder = await turnHolder(files, layout, projectDir(layout, config.repo));
  const other = holder?.slice(0, holder.indexOf('~'));
  return other === undefined || other === id ? undefined : `it works the project itself, where it is the turn of ${other}: it asks again every two seconds`;
}
