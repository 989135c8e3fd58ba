import * as fs from 'node:fs';
import { parseProcStat } from './proc-stat.js';

/**
 * What each process was started with, by pid and start time. An environment is read once in a process's life, and a second time
 * where it bore no marker: between fork and exec a process still has its parent's. Marker '': it bears none.
 */
export type SeenProcesses = Map<number, { readonly start: string; readonly marker: string; readonly looks: number }>;

/**
 * Resident memory, bytes, of the processes that bear `<variable>=<marker>` in their environment, and of what descends from them
 * or runs in their sessions, by marker. Pages that several share are counted for each. Empty where there is no process table.
 */
export function memoryByMarker(variable: string, seen: SeenProcesses, pageBytes = pageSize()): Map<string, number> {
  const rows = new Map<number, { ppid: number; session: number; bytes: number; marker: string }>();
  for (const name of listed('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const text = read(`/proc/${pid}/stat`);
    const stat = text === undefined ? undefined : parseProcStat(text);
    if (text === undefined || stat === undefined || stat.state === 'Z') continue;
    let known = seen.get(pid);
    if (known?.start !== stat.start || (known.marker === '' && known.looks < 2)) {
      known = { start: stat.start, marker: markerOf(pid, variable), looks: known?.start === stat.start ? known.looks + 1 : 1 };
      seen.set(pid, known);
    }
    rows.set(pid, { ppid: stat.ppid, session: stat.session, bytes: residentPages(text) * pageBytes, marker: known.marker });
  }
  for (const pid of seen.keys()) if (!rows.has(pid)) seen.delete(pid);
  const sums = new Map<string, number>();
  for (const [pid, row] of rows) {
    const marker = belongsTo(pid);
    if (marker !== '') sums.set(marker, (sums.get(marker) ?? 0) + row.bytes);
  }
  return sums;

  /** Its own marker, or that of the nearest above it; of an orphan, that of its session's leader. */
  function belongsTo(pid: number): string {
    let at = pid;
    for (let steps = 0; steps < 64; steps += 1) {
      const row = rows.get(at);
      if (row === undefined || row.marker !== '') return row?.marker ?? '';
      if (row.ppid <= 1) return rows.get(row.session)?.marker ?? '';
      at = row.ppid;
    }
    return '';
  }
}

const residentPages = (stat: string): number => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[21] ?? 0);

/** 4 KiB on most machines, 16 or 64 on some: node tells its own memory in bytes, the kernel in pages. */
function pageSize(): number {
  const pages = residentPages(read('/proc/self/stat') ?? '');
  return pages > 0 ? 2 ** Math.round(Math.log2(process.memoryUsage.rss() / pages)) : 4096;
}

function markerOf(pid: number, variable: string): string {
  const entry = read(`/proc/${pid}/environ`)?.split('\0').find((one) => one.startsWith(`${variable}=`));
  return entry === undefined ? '' : entry.slice(variable.length + 1);
}

function read(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}

function listed(dir: string): string[] {
  try {
    return fs.readdirSync(dir);
  } catch {
    return [];
  }
}
