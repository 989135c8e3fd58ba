/** The fields of /proc/PID/stat that we use. */
export interface ProcStat {
  readonly pid: number;
  readonly state: string;
  readonly ppid: number;
  readonly session: number;
  readonly tty: number;
  readonly start: string;
  /** User plus system time, in clock ticks. */
  readonly cpuTicks: number;
}

/** Parses after the *last* parenthesis: a command name may hold spaces and parentheses ("tmux: server" does). */
export function parseProcStat(text: string): ProcStat | undefined {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 0 || close < open) return undefined;
  const fields = text.slice(close + 2).trim().split(' ');
  const pid = Number(text.slice(0, open).trim());
  const start = fields[19];
  if (!Number.isInteger(pid) || start === undefined || !/^\d+$/.test(start)) return undefined;
  return {
    pid,
    state: fields[0] ?? '?',
    ppid: Number(fields[1]),
    session: Number(fields[3]),
    tty: Number(fields[4]),
    start,
    cpuTicks: Number(fields[11]) + Number(fields[12]),
  };
}
