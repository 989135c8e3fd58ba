/**
 * The names under `specialists:` of snakepit.yaml as it stands, faults and all: for whoever only offers them. A file that cannot be read so has
 * none. YAML is loaded only where the word occurs: with all of the configuration it takes five times as long.
 */
export async function specialistNames(text: string): Promise<readonly string[]> {
  if (!text.includes('specialists')) return [];
  const { parse } = await import('yaml');
  try {
    const file: unknown = parse(text, { schema: 'core', logLevel: 'silent', maxAliasCount: 50 });
    const found = typeof file === 'object' && file !== null && 'specialists' in file ? file.specialists : undefined;
    return typeof found === 'object' && found !== null && !Array.isArray(found) ? Object.keys(found) : [];
  } catch {
    return [];
  }
}
