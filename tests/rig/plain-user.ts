import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/*
 * For root the rights of files do not count. What is to be seen of them is seen by a user who is not root: ourselves, or "nobody" where
 * the tests run as root.
 */

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const NOBODY = 65_534;

/** Undefined: the tests run as a plain user already. */
export const PLAIN_UID = process.getuid?.() === 0 ? NOBODY : undefined;

/** What a plain user can run, and why not where there is nothing. `dist`: undefined for the checkout's own. */
export type ForPlainUser = { readonly kind: 'runs'; readonly uid: number | undefined; readonly dist: string | undefined; remove(): void } | { readonly kind: 'cannot'; readonly why: string };

/** The checkout's program where that user may read it, else a copy of it that everybody may. */
export function forPlainUser(): ForPlainUser {
  if (PLAIN_UID === undefined) return { kind: 'runs', uid: undefined, dist: undefined, remove: () => undefined };
  if (runs(join(ROOT, 'bin', 'snakepit.js'))) return { kind: 'runs', uid: PLAIN_UID, dist: undefined, remove: () => undefined };
  const copy = fs.mkdtempSync(join(tmpdir(), 'for-all-'));
  const remove = (): void => fs.rmSync(copy, { recursive: true, force: true });
  fs.chmodSync(copy, 0o755);
  for (const name of ['package.json', 'bin', 'dist', 'profiles', 'prompts', 'workflows', 'prices.yaml', ...needed()]) fs.cpSync(join(ROOT, name), join(copy, name), { recursive: true, dereference: true });
  spawnSync('chmod', ['-R', 'a+rX', copy]);
  if (runs(join(copy, 'bin', 'snakepit.js'))) return { kind: 'runs', uid: PLAIN_UID, dist: join(copy, 'dist'), remove };
  remove();
  return { kind: 'cannot', why: `uid ${PLAIN_UID} cannot run ${process.execPath}` };
}

const runs = (program: string): boolean => spawnSync(process.execPath, [program, 'version'], { uid: PLAIN_UID, gid: PLAIN_UID, cwd: '/', env: { PATH: process.env['PATH'] ?? '', HOME: '/' }, timeout: 60_000 }).status === 0;

/** The packages that the program needs, by their directories from the root. */
function needed(): string[] {
  const found = new Set<string>();
  const walk = (dir: string): void => {
    const { dependencies = {} } = JSON.parse(fs.readFileSync(join(ROOT, dir, 'package.json'), 'utf8')) as { dependencies?: Record<string, string> };
    for (const name of Object.keys(dependencies)) {
      const at = [join(dir, 'node_modules', name), join('node_modules', name)].find((one) => fs.existsSync(join(ROOT, one)));
      if (at === undefined || found.has(at)) continue;
      found.add(at);
      walk(at);
    }
  };
  walk('.');
  return [...found];
}
