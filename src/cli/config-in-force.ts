import type { Config, Price } from '../config/config.js';
import { parseJson } from '../protocol/records.js';
import { readConfig, type Context } from './context.js';

/** The prices in force: as the pit published them, unless the file was edited since, or no pit has ever run; YAML is read only then, since it takes as long as all the rest. */
export async function priceLists(context: Context): Promise<readonly (readonly Price[])[]> {
  return (await configInForce(context)).priceLists;
}

/** The configuration in force, cheaply, for whoever only looks: an edit that is refused leaves the last good one. */
export async function configInForce(context: Context): Promise<Config> {
  const { files, layout } = context;
  const edited = await files.mtimeMs(layout.configFile);
  const published = await files.mtimeMs(layout.activeConfig);
  const last = parseJson<Config>(await files.read(layout.activeConfig));
  // What an older snakepit published has no prices.
  const good = last?.priceLists === undefined || last.budget === undefined ? undefined : last;
  if (good !== undefined && published !== undefined && (edited === undefined || edited <= published)) return good;
  return readConfig(context).catch((cause: unknown) => {
    if (good === undefined) throw cause;
    return good;
  });
}
