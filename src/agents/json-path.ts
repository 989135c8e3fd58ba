/*
 * Dotted paths into parsed JSON: `a.b`, `a[0]`, `a[-1]`, `a[*].b`, and `*` for every value of a map. Own properties only.
 */

type Step = string | number | typeof EVERY;
const EVERY = Symbol('every');

/** A path, taken apart once. */
export type Path = readonly Step[];

export function parsePath(text: string): Path {
  return text.split('.').flatMap((part) => {
    const [, name = '', brackets = ''] = /^(.*?)((?:\[(?:\*|-?\d+)\])*)$/su.exec(part) ?? [];
    const steps: Step[] = name === '' ? [] : [name === '*' ? EVERY : name];
    for (const [, index = ''] of brackets.matchAll(/\[(\*|-?\d+)\]/gu)) steps.push(index === '*' ? EVERY : Number(index));
    return steps;
  });
}

/** Every value at the path; undefined and missing ones are left out, null is a value. */
export function valuesAt(root: unknown, path: Path): unknown[] {
  let found: unknown[] = [root];
  for (const step of path) found = found.flatMap((value) => stepInto(value, step));
  return found.filter((value) => value !== undefined);
}

function stepInto(value: unknown, step: Step): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  if (step === EVERY) return Object.values(value);
  if (typeof step === 'number') return Array.isArray(value) ? [value.at(step)] : [];
  return !Array.isArray(value) && Object.hasOwn(value, step) ? [(value as Record<string, unknown>)[step]] : [];
}

/** The texts at the path, joined; undefined when there is none. */
export function textAt(root: unknown, path: Path): string | undefined {
  const texts = valuesAt(root, path).filter((value) => typeof value === 'string');
  return texts.length === 0 ? undefined : texts.join('');
}

/** The sum of the finite numbers at the path; undefined when there is none. */
export function sumAt(root: unknown, path: Path): number | undefined {
  const numbers = valuesAt(root, path).filter((value) => typeof value === 'number' && Number.isFinite(value)) as number[];
  return numbers.length === 0 ? undefined : numbers.reduce((sum, value) => sum + value, 0);
}

/** The texts and numbers at the path, as texts. */
export function idsAt(root: unknown, path: Path): string[] {
  return valuesAt(root, path).filter((value) => typeof value === 'string' || typeof value === 'number').map(String);
}
