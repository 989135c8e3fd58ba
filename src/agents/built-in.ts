import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';

/*
 * The profiles that come with snakepit are a hundred kilobytes of YAML, and every pit and many a command begin with them: parsed anew they were a
 * third of a pit's start (0.65 s of 2.1 s of one core). The build lays them beside the code as JSON, with the hash of the files that it was made from,
 * so that one that is out of date is never taken.
 */

/** A map as YAML has it, not checked yet. */
export type Json = Readonly<Record<string, unknown>>;

const FILES = new URL('../../profiles/', import.meta.url);
/** Of the same package, whether this runs from src/ or from dist/. */
export const COMPILED = new URL('../../dist/profiles.json', import.meta.url);

interface Compiled {
  readonly hash: string;
  readonly profiles: Readonly<Record<string, Json>>;
}

/** The text of each, by its name. */
const texts = (): [string, string][] => readdirSync(FILES).filter((name) => name.endsWith('.yaml')).sort().map((file) => [file.replace(/\.yaml$/, ''), readFileSync(new URL(file, FILES), 'utf8')]);

const hashOf = (all: readonly (readonly [string, string])[]): string => createHash('sha256').update(JSON.stringify(all)).digest('hex');

const parsed = (all: readonly (readonly [string, string])[]): Record<string, Json> => Object.fromEntries(all.map(([name, text]) => [name, parse(text) as Json]));

/** What the build writes. */
export function compileProfiles(): string {
  const all = texts();
  return `${JSON.stringify({ hash: hashOf(all), profiles: parsed(all) } satisfies Compiled)}\n`;
}

/** The profiles that come with snakepit, by name, as their files say. */
export function builtInProfiles(from: URL = COMPILED): Map<string, Json> {
  const all = texts();
  return new Map(Object.entries(compiledIn(from, hashOf(all)) ?? parsed(all)));
}

function compiledIn(from: URL, hash: string): Compiled['profiles'] | undefined {
  try {
    const compiled = JSON.parse(readFileSync(from, 'utf8')) as Compiled;
    return compiled.hash === hash ? compiled.profiles : undefined;
  } catch {
    return undefined;
  }
}
