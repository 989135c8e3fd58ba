import { join } from 'node:path';
import type { Files } from '../lib/files.js';
import { sameProcess, type Liveness, type ProcessIdentity, type Processes } from '../lib/processes.js';
import type { Layout } from '../protocol/layout.js';

/** A snake that has registered, and whether it lives. A clean end removes the registration; a dead one left behind is a crash. */
export interface RegisteredSnake {
  readonly snake: string;
  readonly process: ProcessIdentity;
  readonly liveness: Liveness;
  readonly file: string;
}

const fileName = (snake: string, p: ProcessIdentity): string => `${snake}~${p.pid}~${p.start}~${p.boot}`;

export async function listSnakes(files: Files, processes: Processes, layout: Layout): Promise<RegisteredSnake[]> {
  const found: RegisteredSnake[] = [];
  for (const name of await files.list(layout.snakes)) {
    const match = /^(s\d{1,4})~(\d+)~(\d+)~([0-9a-f]{8})$/.exec(name);
    if (match === null) continue;
    const identity = { pid: Number(match[2]), start: match[3] ?? '', boot: match[4] ?? '' };
    found.push({ snake: match[1] ?? '', process: identity, liveness: await processes.liveness(identity), file: join(layout.snakes, name) });
  }
  return found;
}

/** Registers first, then looks: of two that start under one name at once, at least one sees the other and gives way. "taken": somebody else lives under this name. */
export async function registerSnake(files: Files, processes: Processes, layout: Layout, snake: string): Promise<{ kind: 'ok'; leave(): Promise<void> } | { kind: 'taken'; by: ProcessIdentity }> {
  const me = processes.self();
  const mine = join(layout.snakes, fileName(snake, me));
  await files.write(mine, '');
  const other = (await listSnakes(files, processes, layout)).find((one) => one.snake === snake && one.liveness !== 'dead' && !sameProcess(one.process, me));
  if (other !== undefined) {
    await files.remove(mine);
    return { kind: 'taken', by: other.process };
  }
  return { kind: 'ok', leave: async () => void (await files.remove(mine)) };
}
