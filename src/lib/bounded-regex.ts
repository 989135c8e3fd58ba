import vm from 'node:vm';

/** "slow": it did not come to an end in its time, which says nothing about the text. */
export type Matched = { readonly kind: 'yes'; readonly groups: Readonly<Record<string, string>> } | { readonly kind: 'no' } | { readonly kind: 'slow' };

/** Tries on a machine that gives us no processor: with a limit of 50 ms, five seconds. */
const ROUNDS = 100;

const context = vm.createContext(Object.create(null) as object) as { pattern?: string; text?: string };
const script = new vm.Script('new RegExp(pattern, "u").exec(text)');

/**
 * A person's regular expression on a text that anybody may have written. Some patterns take longer than the universe on forty
 * letters; this one is stopped after `limitMs` of processor time, since whoever asks has a rhythm to keep. A machine that is busy
 * elsewhere stops nobody: then it is tried again. The pattern must be valid.
 */
export function boundedMatch(pattern: string, text: string, limitMs: number): Matched {
  context.pattern = pattern;
  context.text = text;
  const startedAt = process.cpuUsage();
  for (let round = 0; round < ROUNDS; round += 1) {
    try {
      const match = script.runInContext(context, { timeout: limitMs }) as RegExpExecArray | null;
      return match === null ? { kind: 'no' } : { kind: 'yes', groups: Object.fromEntries(Object.entries(match.groups ?? {}).map(([name, value]) => [name, value ?? ''])) };
    } catch {
      const { user, system } = process.cpuUsage(startedAt);
      if ((user + system) / 1000 >= limitMs) break;
    }
  }
  return { kind: 'slow' };
}
