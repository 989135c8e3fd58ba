import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { onPath } from '../agents/find.js';

type Env = Readonly<Record<string, string | undefined>>;

/** What every hook may see of the pit's environment, which holds the keys of all agents. */
const ALWAYS = ['PATH', 'HOME', 'LANG'] as const;
/** The way to the person's desktop. */
const DESKTOP = ['DBUS_SESSION_BUS_ADDRESS', 'DISPLAY', 'WAYLAND_DISPLAY', 'XAUTHORITY', 'XDG_RUNTIME_DIR'] as const;

/** The environment of a hook's command: an allow-list, what the hook names, and SNAKEPIT_*: the pit's directory, and settings that came by variable. */
export function hookEnv(outer: Env, root: string, hook: string, named: readonly string[]): Record<string, string> {
  const pass = new Set<string>([...ALWAYS, ...named]);
  const given = Object.entries(outer).flatMap(([key, value]) => (value !== undefined && (pass.has(key) || key.startsWith('SNAKEPIT_CONFIG_')) ? [[key, value] as const] : []));
  return { ...Object.fromEntries(given), SNAKEPIT_DIR: root, SNAKEPIT_HOOK: hook };
}

/** Of what shows a notification. A pit that was started from cron has no word of the desktop: its bus lies where it always does. */
export function desktopEnv(outer: Env, root: string, hook: string, uid: number): Record<string, string> {
  const env = hookEnv(outer, root, hook, DESKTOP);
  const bus = `/run/user/${uid}/bus`;
  if (env['DBUS_SESSION_BUS_ADDRESS'] === undefined && statSync(bus, { throwIfNoEntry: false })?.isSocket() === true) env['DBUS_SESSION_BUS_ADDRESS'] = `unix:path=${bus}`;
  return env;
}

/** Whether a program would be found: by its path, from `cwd`, or on the PATH. */
export const isProgram = (program: string, path: string | undefined, cwd: string): boolean => onPath(program.includes('/') ? resolve(cwd, program) : program, path) !== undefined;
