import { watch } from 'chokidar';

/**
 * Wakes the pit when something is dropped. The zone is normally empty, so a watch per file is cheap here. A hint: the
 * pit lists the zone at each tick anyway.
 */
export function watchDrops(dir: string, changed: () => void, failed: (cause: unknown) => void): () => Promise<void> {
  const watcher = watch(dir, { depth: 0, ignoreInitial: true, followSymlinks: false, ignored: (path, stats) => stats?.isDirectory() === true && path !== dir });
  watcher.on('all', changed);
  watcher.on('error', failed);
  return () => watcher.close();
}
