import { openContext, print, printJson, readConfig } from '../context.js';

export async function config(dir: string | undefined, options: { schema?: boolean; defaults?: boolean }): Promise<void> {
  const { commentedConfig, configJsonSchema } = await import('../../config/load.js');
  if (options.schema === true) return print(JSON.stringify(configJsonSchema(), null, 2));
  if (options.defaults === true) return print(commentedConfig());
  printJson({ config: await readConfig(openContext(dir)) });
}
