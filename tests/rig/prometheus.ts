/** A strict reader of Prometheus' text format 0.0.4: what it does not know is an error, not left out. */
export interface Series {
  readonly name: string;
  readonly type: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

export function parsePrometheus(text: string): Series[] {
  if (text !== '' && !text.endsWith('\n')) throw new Error('the last line does not end');
  // oxlint-disable-next-line no-control-regex -- that is what is looked for
  if (/[\u0000-\u0009\u000b-\u001f\u007f\r]/.test(text)) throw new Error('a control character');
  const series: Series[] = [];
  const seen = new Set<string>();
  const done = new Set<string>();
  let family: { name: string; help: boolean; type: string | undefined; samples: number } | undefined;
  const open = (name: string): NonNullable<typeof family> => {
    if (family?.name === name) return family;
    if (done.has(name)) throw new Error(`${name} comes in two places`);
    done.add(name);
    return (family = { name, help: false, type: undefined, samples: 0 });
  };
  for (const line of text.split('\n').slice(0, -1)) {
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (comment !== null) {
      const [, what, name = '', rest = ''] = comment;
      const one = open(name);
      if (!NAME.test(name) || one.samples > 0) throw new Error(`misplaced: ${line}`);
      if (what === 'HELP' ? one.help : one.type !== undefined) throw new Error(`told twice: ${line}`);
      if (what === 'HELP') one.help = true;
      else if (!['counter', 'gauge', 'histogram', 'summary', 'untyped'].includes(rest)) throw new Error(`no type: ${line}`);
      else one.type = rest;
      if (what === 'HELP' && /\\(?![\\n])/.test(rest.replaceAll('\\\\', ''))) throw new Error(`a wrong escape: ${line}`);
      continue;
    }
    const { name, labels, value } = sample(line);
    const one = open(name);
    if (one.type === undefined || !one.help) throw new Error(`before its HELP and TYPE: ${line}`);
    one.samples += 1;
    const key = `${name} ${JSON.stringify(Object.entries(labels).sort())}`;
    if (seen.has(key)) throw new Error(`twice: ${line}`);
    seen.add(key);
    if ((one.type === 'counter') !== name.endsWith('_total')) throw new Error(`a counter ends in _total, and nothing else: ${line}`);
    if (one.type === 'counter' && !(value >= 0)) throw new Error(`no count: ${line}`);
    series.push({ name, type: one.type, labels, value });
  }
  return series;
}

function sample(line: string): { name: string; labels: Record<string, string>; value: number } {
  const [, name = '', rest = ''] = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(.*)$/s.exec(line) ?? [];
  if (name === '') throw new Error(`no sample: ${line}`);
  const labels: Record<string, string> = {};
  let at = 0;
  if (rest[0] === '{') {
    for (at = 1; rest[at] !== '}'; ) {
      const label = /^([a-zA-Z_][a-zA-Z0-9_]*)="/.exec(rest.slice(at));
      if (label?.[1] === undefined || label[1].startsWith('__')) throw new Error(`no label at ${at}: ${line}`);
      at += label[0].length;
      let value = '';
      for (; rest[at] !== '"'; at += 1) {
        if (at >= rest.length) throw new Error(`a label without an end: ${line}`);
        if (rest[at] !== '\\') value += rest[at];
        else {
          at += 1;
          const meant = { '\\': '\\', '"': '"', n: '\n' }[rest[at] ?? ''];
          if (meant === undefined) throw new Error(`a wrong escape: ${line}`);
          value += meant;
        }
      }
      if (Object.hasOwn(labels, label[1])) throw new Error(`a label twice: ${line}`);
      labels[label[1]] = value;
      at += 1;
      if (rest[at] === ',') at += 1;
      else if (rest[at] !== '}') throw new Error(`neither , nor }: ${line}`);
    }
    at += 1;
  }
  const number = /^ ([+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|NaN)$/.exec(rest.slice(at))?.[1];
  if (number === undefined) throw new Error(`no number: ${line}`);
  return { name, labels, value: number === 'NaN' ? Number.NaN : Number(number.replace('Inf', 'Infinity')) };
}

/** The value of one series; undefined where there is none. */
export const valueOf = (text: string, name: string, labels: Readonly<Record<string, string>> = {}): number | undefined =>
  parsePrometheus(text).find((one) => one.name === name && JSON.stringify(one.labels) === JSON.stringify(labels))?.value;
