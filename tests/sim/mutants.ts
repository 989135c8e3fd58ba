import { basename, dirname, join } from 'node:path';
import type { CleanupPorts } from '../../src/cleanup/ports.js';
import type { Files } from '../../src/lib/files.js';
import type { Layout } from '../../src/protocol/layout.js';
import { NO_COUNTERS, parseReady, parseWaiting, printReady, printWaiting, type Counters } from '../../src/protocol/names.js';
import { destinationPath, DirectoryStore, type DirectoryStorePorts } from '../../src/queue/directory-store.js';
import type { Claim, Destination } from '../../src/queue/store.js';
import type { Mutant } from './actors.js';
import type { SimPorts } from './ports.js';

/*
 * Six planted protocol bugs. Each is the real code over ports that lie in one point only, so a bug stays planted however
 * the code around it changes. A simulator that lets one through proves nothing.
 */

/** The reaper believes that it fenced, and nothing was renamed; the last rename then moves the claim itself. */
function unfenced(ports: CleanupPorts, layout: Layout): CleanupPorts {
  const aliases = new Map<string, string>();
  const { files } = ports;
  return { ...ports, files: { ...files, rename: async (from, to) => {
    if (dirname(to) === layout.dir('reaping') && dirname(String(from)) === layout.dir('claimed')) {
      aliases.set(to, String(from));
      return (await files.exists(String(from))) ? 'ok' : 'missing';
    }
    return files.rename(aliases.get(String(from)) ?? from, to);
  } } };
}

/** Milliseconds between the last scan and the fence of `fencedLate`. */
const LATE_MS = 50;

/** The reaper's fence takes place only after two scans have found nothing. */
function fencedLate(ports: CleanupPorts, layout: Layout): CleanupPorts {
  let owed: { readonly from: string; readonly to: string } | undefined;
  let empty = 0;
  const { files, processes } = ports;
  return {
    ...ports,
    files: { ...files, rename: async (from, to) => {
      if (dirname(to) !== layout.dir('reaping') || dirname(String(from)) !== layout.dir('claimed')) return files.rename(from, to);
      owed = { from: String(from), to };
      empty = 0;
      return (await files.exists(String(from))) ? 'ok' : 'missing';
    } },
    processes: { ...processes, self: () => processes.self(), boot: () => processes.boot(), find: async (query) => {
      const found = await processes.find(query);
      empty = found.complete && found.processes.length === 0 ? empty + 1 : 0;
      if (empty < 2 || owed === undefined) return found;
      const { from, to } = owed;
      owed = undefined;
      // A moment, as between any two steps: else a launch slips in between once in ten thousand schedules.
      await ports.clock.sleep(LATE_MS);
      await files.rename(from, to);
      return found;
    } },
  };
}

/** The reaper looks for nobody, so it ends nobody. */
const blind = (ports: CleanupPorts): CleanupPorts => ({ ...ports, processes: { ...ports.processes, find: async () => ({ complete: true, processes: [] }) } });

/** "Check the claim, then publish": the task is copied to its destination, and its claim removed. */
class CopyingStore extends DirectoryStore {
  private readonly layout2: Layout;
  private readonly files: Files;

  constructor(layout: Layout, ports: DirectoryStorePorts) {
    super(layout, ports);
    this.layout2 = layout;
    this.files = ports.files;
  }

  override async settle(claim: Claim, to: Destination): Promise<'ok' | 'lost'> {
    const { files } = this;
    const target = await destinationPath(files, this.layout2, claim.name, to);
    const text = await files.read(claim.file);
    if (text === undefined) return 'lost';
    await files.write(target, text);
    await files.remove(claim.file);
    return 'ok';
  }
}

/** Counters in a file of their own, `counts/<id>`: names in ready/ and waiting/ carry none, and are shown as if they did. */
function sidecar(ports: SimPorts, layout: Layout): SimPorts {
  const { files } = ports;
  const ready = layout.dir('ready');
  const waiting = layout.dir('waiting');
  const counts = (id: string): string => join(layout.state, `counts-${id}`);
  const rename = (file: string, counters: Counters): string => {
    const due = parseWaiting(file);
    const name = parseReady(file);
    return due === undefined ? (name === undefined ? file : printReady({ ...name, counters })) : printWaiting({ ...due, counters });
  };
  const bare = (path: string): string => (dirname(path) === ready || dirname(path) === waiting ? join(dirname(path), rename(basename(path), NO_COUNTERS)) : path);
  const nameIn = (path: string): ReturnType<typeof parseReady> => (dirname(path) === ready ? parseReady(basename(path)) : dirname(path) === waiting ? parseWaiting(basename(path)) : undefined);
  return { ...ports, files: {
    ...files,
    exists: (path) => files.exists(bare(path)),
    mtimeMs: (path) => files.mtimeMs(bare(path)),
    readBytes: (path, max) => files.readBytes(bare(String(path)), max),
    list: async (dir) => {
      const names = await files.list(dir);
      if (dir !== ready && dir !== waiting) return names;
      const shown: string[] = [];
      for (const name of names) {
        const id = nameIn(join(dir, name))?.id;
        const text = id === undefined ? undefined : await files.read(counts(id));
        shown.push(text === undefined ? name : rename(name, JSON.parse(text) as Counters));
      }
      return shown;
    },
    rename: async (from, to) => {
      const renamed = await files.rename(bare(String(from)), bare(to));
      const name = nameIn(to);
      // Here is the bug: between the two a process may die.
      if (renamed === 'ok' && name !== undefined && dirname(String(from)) !== waiting) await files.write(counts(name.id), JSON.stringify(name.counters));
      return renamed;
    },
  } };
}

export const MUTANTS: readonly Mutant[] = [
  { name: 'no fence: the reaper ends processes while the claim still stands', reaperPorts: unfenced },
  { name: 'scan before fence', reaperPorts: fencedLate },
  { name: 'the wrapper does not check its claim after it was marked', wrapperChecksClaim: false },
  { name: 'requeue without killing', reaperPorts: blind },
  { name: 'check, then publish: settle copies instead of renaming', makeStore: (layout, ports) => new CopyingStore(layout, ports) },
  { name: 'counters kept beside the name', anyPorts: sidecar },
];
