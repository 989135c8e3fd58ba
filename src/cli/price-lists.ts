import type { Config, Price } from '../config/config.js';
import { parseJson } from '../protocol/records.js';
import { readConfig, type Context } from './context.js';

/** The prices in force: as the pit published them, unless the file was edited since, or no pit has ever run; YAML is read only then, since it takes as long as all the rest. */
export async function priceLists(context: Context): Promise<readonly (readonly Price[])[]> {
  return (await configInForce(context)).priceLists;
}

/** The configuration in force, cheaply. */
export async function configInForce(context: Context): Promise<Config> {
  const { files, layout } = context;
  const edited = await files.mtimeMs(layout.configFile);
  const published = await files.mtimeMs(layout.activeConfig);
  const config = published === undefined || (edited !== undefined && edited > published) ? undefined : parseJson<Config>(await files.read(layout.activeConfig));
  // What an older snakepit published has no prices.
  return config?.priceLists === undefined || config.budget === undefined ? readConfig(context) : config;
}
