import * as fs from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/*
 * What is loaded before a command or a worker does anything: the files that it imports outright, and theirs. YAML, schemas, cron and the logger cost
 * more than all else of a start, so whoever is started often, or idles by the dozen, loads them when there is something to read with them.
 */

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));
const COSTLY = ['chokidar', 'croner', 'execa', 'string-width', 'winston', 'winston-daily-rotate-file', 'yaml', 'zod'];

const IMPORT = /^(?:import|export)\s+(?:[\w*$]+(?:\s+as\s+[\w$]+)?\s*,?\s*)?(?:\{[^}]*\}\s*)?\bfrom\s*['"]([^'"]+)['"]/gm;

/** The packages that come with these files of dist/. */
function packagesOf(...files: readonly string[]): string[] {
  const seen = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const [, from = ''] of fs.readFileSync(file, 'utf8').matchAll(IMPORT)) {
      if (from.startsWith('.')) visit(resolve(dirname(file), from));
      else if (!from.startsWith('node:')) packages.add(from);
    }
  };
  for (const file of files) visit(join(DIST, file));
  return [...packages].filter((name) => COSTLY.includes(name)).sort();
}

describe('what is loaded at a start', () => {
  it.each(['ls', 'status', 'show', 'wait', 'tokens', 'metrics', 'report', 'session', 'completion', 'answer', 'moves', 'up', 'needs'].filter((name) => fs.existsSync(join(DIST, 'cli/commands', `${name}.js`))))('snakepit %s: nothing costly', (name) => {
    expect(packagesOf('cli/main.js', `cli/commands/${name}.js`)).toEqual([]);
  });

  it('an idle snake: nothing costly', () => expect(packagesOf('snake/main.js')).toEqual([]));

  it('this would be noticed', () => {
    expect(packagesOf('config/load.js')).toEqual(['yaml', 'zod']);
    expect(packagesOf('pit/main.js')).toContain('winston');
  });
});
