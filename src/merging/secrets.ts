/** Where something secret was found; the thing itself is never kept. */
export interface SecretFound {
  readonly path: string;
  readonly what: string;
}

/**
 * Forms that are keys and hardly ever anything else: each has a fixed beginning and a length, so that prose, hashes and examples in
 * documentation do not look like one.
 */
const FORMS: readonly (readonly [string, RegExp])[] = [
  ['a private key', /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/],
  ['an AWS access key', /\b(?:AKIA|ASIA)(?![A-Z0-9]{0,15}EXAMPLE)[A-Z0-9]{16}\b/],
  ['a GitHub token', /\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,})\b/],
  ['a GitLab token', /\bglpat-[A-Za-z0-9_-]{20,}/],
  ['an Anthropic key', /\bsk-ant-[A-Za-z0-9_-]{32,}/],
  ['an OpenAI key', /\bsk-(?:proj|svcacct)-[A-Za-z0-9_-]{40,}|\bsk-[A-Za-z0-9]{48}\b/],
  ['a Slack token', /\bxox[abprs]-[0-9]{8,}-[A-Za-z0-9-]{16,}/],
  ['a Google API key', /\bAIza[0-9A-Za-z_-]{35}\b/],
  ['a Stripe key', /\b[rs]k_live_[0-9A-Za-z]{24,}\b/],
  ['an npm token', /\bnpm_[A-Za-z0-9]{36}\b/],
];

/** A shorter value of a variable may stand anywhere by chance. */
const LEAST_VALUE = 12;

/** Pure: what of the added lines of patches is secret. `known`: the very values that snakepit hands to sessions, by their variables' names. */
export function findSecrets(patch: string, known: Readonly<Record<string, string>>): SecretFound[] {
  const values = Object.entries(known).filter(([, value]) => value.length >= LEAST_VALUE);
  const found = new Map<string, SecretFound>();
  let path = '';
  let inHead = true;
  for (const line of patch.split('\n')) {
    if (line.startsWith('diff --git ')) inHead = true;
    else if (line.startsWith('@@ ')) inHead = false;
    else if (inHead && line.startsWith('+++ ')) path = line.slice(4).replace(/^"?b\//, '').replace(/["\t]+$/, '');
    else if (!inHead && line.startsWith('+')) {
      const text = line.slice(1);
      const what = FORMS.find(([, form]) => form.test(text))?.[0] ?? values.flatMap(([name, value]) => (text.includes(value) ? [`the value of ${name}`] : []))[0];
      if (what !== undefined) found.set(`${path}\0${what}`, { path, what });
    }
  }
  return [...found.values()];
}
