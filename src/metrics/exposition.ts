import { show } from '../lib/text.js';

/** One number with its labels. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One metric. Names: small letters and _; a counter ends in _total. */
export interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  /** For a person: unit, and what 0 means where that is not plain. */
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** A label's value may come from a file that anybody's program wrote. */
const LABEL_CHARS = 120;

/** Prometheus' text format, version 0.0.4. Labels that come to be the same once they are cleaned are one sample: counters add up, of gauges the greatest counts. */
export function printFamilies(families: readonly Family[]): string {
  return families.filter(({ samples }) => samples.length > 0).map((family) => `${headOf(family)}${linesOf(family)}`).join('');
}

const headOf = ({ name, help, type }: Family): string => `# HELP ${name} ${help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')}\n# TYPE ${name} ${type}\n`;

function linesOf({ name, type, samples }: Family): string {
  const values = new Map<string, number>();
  for (const { labels = {}, value } of samples) {
    const key = Object.entries(labels).map(([label, text]) => `${label}="${labelValue(text)}"`).join(',');
    const known = values.get(key);
    values.set(key, known === undefined ? value : type === 'counter' ? known + value : Math.max(known, value));
  }
  return [...values].map(([labels, value]) => `${name}${labels === '' ? '' : `{${labels}}`} ${printNumber(value)}\n`).join('');
}

/** Control characters and halves of characters are replaced, the rest is escaped. */
const labelValue = (text: string): string => show(text, LABEL_CHARS).replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');

const printNumber = (value: number): string => (Number.isNaN(value) ? 'NaN' : value === Number.POSITIVE_INFINITY ? '+Inf' : value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value));
