/** Reading of JSON that others wrote: every accessor answers with an empty value where the shape is another one. */

export type Json = Readonly<Record<string, unknown>>;

export const record = (value: unknown): Json => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {});
export const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);
export const text = (value: unknown): string => (typeof value === 'string' ? value : '');
export const count = (value: unknown): number => (typeof value === 'number' ? value : 0);

/** What lies at the end of a path of keys and indexes, or undefined. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let here = value;
  for (const step of path) here = typeof step === 'number' ? list(here)[step] : record(here)[step];
  return here;
}

/** A JSON text, or undefined. */
export function parsed(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    return undefined;
  }
}

/** The smallest value a JSON schema admits; optional properties are left out. Good for constrained side calls. */
export function sample(schema: unknown): unknown {
  const s = record(schema);
  if (list(s['enum']).length > 0) return list(s['enum'])[0];
  if (s['const'] !== undefined) return s['const'];
  const options = [...list(s['anyOf']), ...list(s['oneOf'])];
  if (options.length > 0) return sample(options[0]);
  const type = text(Array.isArray(s['type']) ? s['type'][0] : s['type']).toLowerCase();
  if (type === 'object' || s['properties'] !== undefined) {
    const wanted = list(s['required']).length > 0 ? list(s['required']).map(text) : Object.keys(record(s['properties']));
    return Object.fromEntries(wanted.map((key) => [key, sample(at(s, 'properties', key))]));
  }
  if (type === 'array') return [];
  if (type === 'number' || type === 'integer') return count(s['minimum']);
  if (type === 'boolean') return false;
  return 'stub';
}
