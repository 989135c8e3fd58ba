/** Limits on what a task may use up; a kind that is left out has none. Tokens: all, those of the cache included; money: US dollars; minutes: that its sessions ran. */
export interface TaskLimits {
  readonly tokens?: number | undefined;
  readonly money?: number | undefined;
  readonly minutes?: number | undefined;
}

/** "2M", "500k", "1200", 1200 → a number of tokens; undefined for anything else. */
export function parseTokens(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  const match = typeof value === 'string' ? /^(\d{1,12}(?:\.\d{1,6})?)([kKM]?)$/.exec(value) : null;
  if (match === null) return undefined;
  return Math.round(Number(match[1]) * (match[2] === 'M' ? 1_000_000 : match[2] === '' ? 1 : 1000));
}

/** `budget:` of a task; a text: what is wrong with it. */
export function parseLimits(value: unknown): TaskLimits | 'off' | { readonly problem: string } {
  if (value === 'off' || value === false) return 'off';
  if (typeof value !== 'object' || value === null || Array.isArray(value) || Object.keys(value).length === 0) return { problem: 'is not a map of limits' };
  const limits: { -readonly [K in keyof TaskLimits]: TaskLimits[K] } = {};
  for (const [key, given] of Object.entries(value)) {
    if (key !== 'tokens' && key !== 'money' && key !== 'minutes') return { problem: `has no ${key.slice(0, 40)}` };
    const limit = key === 'tokens' ? parseTokens(given) : typeof given === 'number' && given >= 0 && given <= 10_000_000 ? given : undefined;
    if (limit === undefined) return { problem: `has ${key} that are no number` };
    limits[key] = limit;
  }
  return limits;
}

/** The reader of `budget:`: changes the draft, or says what is wrong and what to do. */
export function readBudget(draft: { budget: TaskLimits | 'off' | undefined }, value: unknown): { problem: string; fix: string } | undefined {
  const limits = parseLimits(value);
  if (limits !== 'off' && 'problem' in limits) return { problem: `budget: ${limits.problem}`, fix: 'write budget: {tokens: 2M, money: 5, minutes: 90}, any of them, or budget: off' };
  draft.budget = limits;
  return undefined;
}
