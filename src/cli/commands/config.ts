import { configJsonSchema, commentedConfig } from '../../config/load.js';
import { openContext, print, printJson, readConfig } from '../context.js';

type Property = { readonly properties?: Record<string, Property> };

export async function config(dir: string | undefined, options: { schema?: boolean; defaults?: boolean; json?: boolean }): Promise<void> {
  if (options.schema === true) return print(JSON.stringify(configJsonSchema(), null, 2));
  if (options.defaults === true) return print(commentedConfig());
  const inForce = await readConfig(openContext(dir));
  if (options.json === true) return printJson({ config: inForce });
  for (const line of keyLines(configJsonSchema() as Property, inForce as unknown as Record<string, unknown>)) print(line);
}

/** As keys of snakepit.yaml, to be pasted back: `minFreeBytes` is min-free, `settleMs` is settle with its unit. */
function keyLines(schema: Property, values: Readonly<Record<string, unknown>>, indent = ''): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, property]) => {
    const name = key.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const ms = values[`${name}Ms`];
    const value = typeof ms === 'number' ? exactDuration(ms) : (values[`${name}Bytes`] ?? values[name]);
    if (value === undefined) return [];
    if (property.properties === undefined) return [`${indent}${key}: ${typeof value === 'string' && /^(?!\d+$)[a-z0-9]+$/.test(value) ? value : JSON.stringify(value)}`];
    const below = keyLines(property, value as Record<string, unknown>, `${indent}  `);
    return below.length === 0 ? [] : [`${indent}${key}:`, ...below];
  });
}

/** In the largest unit that loses nothing. */
function exactDuration(ms: number): string {
  for (const [unit, size] of [['d', 86_400_000], ['h', 3_600_000], ['m', 60_000], ['s', 1000]] as const) if (ms > 0 && ms % size === 0) return `${ms / size}${unit}`;
  return ms === 0 ? '0s' : `${ms}ms`;
}
