import { Gatherer } from '../../metrics/gather.js';
import { configInForce } from '../config-in-force.js';
import { livePit, openContext, printRaw } from '../context.js';

/** What the pit's metrics are now, in Prometheus' text format; nothing is written, no pit is needed. */
export async function metrics(dir: string | undefined): Promise<void> {
  const context = openContext(dir);
  const { files, layout, clock } = context;
  const text = await new Gatherer(files, layout).text(await configInForce(context), (await livePit(context)) !== undefined, clock.wallMs());
  printRaw(text.trimEnd());
}
