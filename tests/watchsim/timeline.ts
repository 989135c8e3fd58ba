/*
 * What happened, as lines that a person can read: when, who, about whom, what, by which rule, on what evidence. Most are the pit's own
 * events; the rest is what sessions and the machine did, and every key that was typed.
 */
export interface Line {
  /** Virtual milliseconds since the scenario began; the machine's sleep is not in it. */
  readonly at: number;
  readonly who: string;
  readonly about: string;
  readonly what: string;
  readonly rule: string;
  readonly evidence: string;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Of every kind of event there is or will be: who it is about, the word that tells it apart, its rule and its evidence. */
export function lineOf(at: number, who: string, event: object): Line {
  const fields = event as Readonly<Record<string, unknown>>;
  const word = (...names: readonly string[]): string => text(names.map((name) => fields[name]).find((value) => typeof value === 'string' && value !== ''));
  const detail = word('what', 'reason', 'receipt', 'state', 'how');
  const whose = fields['kind'] === 'breaker-opened' ? text(fields['account']) : word('id', 'resident', 'to', 'target', 'name', 'account', 'snake', 'file');
  return { at, who, about: whose, what: `${text(fields['kind'])}${detail === '' ? '' : ` ${detail}`}`, rule: word('rule', 'why', 'problem'), evidence: word('evidence') };
}

export function clock(ms: number): string {
  const pad = (count: number): string => String(count).padStart(2, '0');
  const whole = Math.floor(ms / 1000);
  return `${Math.floor(whole / 3600)}:${pad(Math.floor(whole / 60) % 60)}:${pad(whole % 60)}`;
}

export const printLine = ({ at, who, about, what, rule, evidence }: Line): string =>
  `${clock(at).padStart(8)}  ${who.padEnd(8)} ${about.padEnd(12)} ${what}${rule === '' ? '' : `: ${rule}`}${evidence === '' ? '' : `  [${evidence}]`}`;

/** `0:10 a nudge-decided go-on` for each line of these kinds: hours and minutes, whom, what. */
export const brief = (lines: readonly Line[], ...kinds: readonly string[]): string[] =>
  lines.filter(({ what }) => kinds.some((kind) => what === kind || what.startsWith(`${kind} `))).map(({ at, about, what }) => `${clock(at).slice(0, -3)} ${about} ${what}`.replace('  ', ' '));
