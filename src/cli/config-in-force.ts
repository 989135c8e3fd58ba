import type { Profiles } from '../agents/choice.js';
import type { Config, Price } from '../config/config.js';
import { parseJson } from '../protocol/records.js';
import { livePit, readAgents, readConfig, type Context } from './context.js';

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

/** What tasks that are put in line now are judged by. */
export interface Terms {
  readonly config: Config;
  /** Read when they are first asked for; then a fault of them, or of a resident or a specialist, is told. */
  readonly profiles: () => Promise<Profiles>;
}

/**
 * The configuration and the profiles for a command that puts tasks in line: as the living pit published them, who will work them, where snakepit.yaml
 * was not edited since and no variable of this shell says otherwise; else they are read, which takes as long as all the rest of such a command. An edit
 * with a fault in it is told, as it is without a pit. A file that was put there with an older time counts once the pit has read it, at its next tick.
 */
export async function readTerms(context: Context): Promise<Terms> {
  const published = await publishedTerms(context);
  if (published !== undefined) return published;
  const config = await readConfig(context);
  let profiles: Promise<Profiles> | undefined;
  return { config, profiles: () => (profiles ??= readAgents(context, config)) };
}

async function publishedTerms(context: Context): Promise<Terms | undefined> {
  const { files, layout } = context;
  if (Object.keys(process.env).some((name) => name.startsWith('SNAKEPIT_CONFIG_')) || (await livePit(context)) === undefined) return undefined;
  const edited = await files.mtimeMs(layout.configFile);
  // The profiles are written first: where this is newer than the edit, they are too.
  const published = await files.mtimeMs(layout.activeConfig);
  if (published === undefined || (edited !== undefined && edited >= published)) return undefined;
  const [profiles, config] = [parseJson<Profiles>(await files.read(layout.agents)), parseJson<Config>(await files.read(layout.activeConfig))];
  return config === undefined || profiles === undefined ? undefined : { config, profiles: () => Promise.resolve(profiles) };
}
