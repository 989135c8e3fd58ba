import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { join } from 'node:path';

/*
 * Planted faults. A property that no mutant can break proves nothing, so each suite plants a few faults in a copy of the
 * built code and demands that its properties notice.
 */

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const DIST = join(ROOT, 'dist');
const MUTANTS = join(ROOT, 'node_modules', '.mutants');

const made: string[] = [];

/** A copy of dist/ with one exact text of one file replaced; returns the directory, for child processes that import it. */
export function plantMutant(distFile: string, find: string, replace: string): string {
  if (!fs.existsSync(join(DIST, distFile))) throw new Error(`dist/${distFile} is not there: build first, and do not build while tests run`);
  const source = fs.readFileSync(join(DIST, distFile), 'utf8');
  const occurrences = source.split(find).length - 1;
  if (occurrences !== 1) throw new Error(`the text to mutate occurs ${occurrences} times, not once, in dist/${distFile}: ${find}`);
  fs.mkdirSync(MUTANTS, { recursive: true });
  const dir = fs.mkdtempSync(join(MUTANTS, `${process.pid}-`));
  made.push(dir);
  fs.cpSync(DIST, dir, { recursive: true });
  // The search for "type" ends at node_modules, so the copy needs its own.
  fs.writeFileSync(join(dir, 'package.json'), '{"type":"module"}\n');
  fs.writeFileSync(join(dir, distFile), source.replace(find, () => replace));
  return dir;
}

/** A whole program with the fault in it, outside of the project, as the command line runs it; returns its dist/. */
export function plantProgram(distFile: string, find: string, replace: string): string {
  const planted = plantMutant(distFile, find, replace);
  const root = fs.mkdtempSync(join(tmpdir(), 'mutant-'));
  made.push(root);
  fs.cpSync(planted, join(root, 'dist'), { recursive: true });
  for (const name of ['package.json', 'bin', 'profiles', 'prompts', 'workflows', 'prices.yaml', 'node_modules']) fs.symlinkSync(join(ROOT, name), join(root, name));
  return join(root, 'dist');
}

/** The module of `distFile` (such as "protocol/names.js") with the fault in it. */
// oxlint-disable-next-line no-explicit-any -- a mutant has the type of the module that it was made from, which the caller knows
export async function importMutant(distFile: string, find: string, replace: string): Promise<any> {
  const dir = plantMutant(distFile, find, replace);
  return await import(/* @vite-ignore */ pathToFileURL(join(dir, distFile)).href);
}

/** Removes what this process planted, and the directory itself when no other process has mutants in it. */
export function cleanMutants(): void {
  for (const dir of made.splice(0)) fs.rmSync(dir, { recursive: true, force: true });
  try {
    fs.rmdirSync(MUTANTS);
  } catch {
    // Another suite is still using it.
  }
}

/** True when the property notices the fault. */
export async function killedBy<M>(property: (module: M) => unknown, module: M): Promise<boolean> {
  try {
    await property(module);
    return false;
  } catch {
    return true;
  }
}
