import { err, ok, type Result } from '../lib/result.js';
import { nearest } from '../lib/text.js';
import type { AgentProfile } from './profile.js';

/** `profile:model:reasoning`, as tasks and the configuration write it; the later parts may be left out. */
export interface AgentChoice {
  readonly profile: string;
  readonly model: string | undefined;
  readonly reasoning: string | undefined;
}

/** A model's own name may hold colons (`ollama:qwen3:8b`): only a last part that is a known reasoning word is one. */
const REASONING = new Set(['none', 'off', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']);

export function parseChoice(text: string): AgentChoice {
  const [profile = '', ...rest] = text.trim().split(':');
  const last = rest.at(-1);
  const reasoning = last !== undefined && REASONING.has(last) ? last : undefined;
  const model = (reasoning === undefined ? rest : rest.slice(0, -1)).join(':');
  return { profile, model: model === '' ? undefined : model, reasoning };
}

export const printChoice = (choice: AgentChoice): string => [choice.profile, ...(choice.model === undefined ? [] : [choice.model]), ...(choice.reasoning === undefined ? [] : [choice.reasoning])].join(':');

export type Profiles = Readonly<Record<string, AgentProfile>>;

/** A wanted agent that can be had: its profile, with model and reasoning filled in from the profile where the choice names none. */
export interface Chosen extends AgentChoice {
  readonly agent: AgentProfile;
  readonly account: AccountChoice;
}

/** One account of a profile: `key` is what a breaker is kept under. */
export interface AccountChoice {
  readonly name: string | undefined;
  readonly key: string;
}

export const accountsOf = (profile: AgentProfile): AccountChoice[] =>
  profile.accounts.length === 0 ? [{ name: undefined, key: profile.account }] : profile.accounts.map(({ name }) => ({ name, key: `${profile.account}.${name}` }));

/** "cooling": every wanted agent exists, and each of its accounts waits for its limit to end. `until`: wall clock, milliseconds. */
export type Choosing = { readonly kind: 'chosen'; readonly chosen: Chosen } | { readonly kind: 'cooling'; readonly until: number; readonly why: string };

/** What the task, or else the configuration, wants, in order. After a start that came to nothing, the profile that it was comes last: the next provider may answer. */
export function wantedAgents(ofTask: readonly string[], fallback: string, neverBegan: string | undefined): string[] {
  const wanted = ofTask.length > 0 ? ofTask : fallback.split(',');
  const failed = neverBegan === undefined ? undefined : parseChoice(neverBegan).profile;
  const isFailed = (one: string): boolean => parseChoice(one).profile === failed;
  return [...wanted.filter((one) => !isFailed(one)), ...wanted.filter(isFailed)];
}

/** The first wanted agent with an account that is not cooling. An unknown name is an error even behind a good one: it is a slip of the pen that would strike at night. */
export function chooseAgent(profiles: Profiles, wanted: readonly string[], coolingUntil: (key: string) => number | undefined): Result<Choosing, string> {
  const choices = wanted.map(parseChoice);
  const known = Object.keys(profiles);
  let soonest: { until: number; key: string } | undefined;
  for (const choice of choices) {
    if (profiles[choice.profile] !== undefined) continue;
    const near = nearest(choice.profile, known);
    return err(`no agent profile is called ${choice.profile}${near === undefined ? '' : `; did you mean ${near}?`}; known: ${known.join(', ')}`);
  }
  for (const choice of choices) {
    const agent = profiles[choice.profile] as AgentProfile;
    for (const account of accountsOf(agent)) {
      const until = coolingUntil(account.key);
      if (until === undefined) return ok({ kind: 'chosen', chosen: { profile: choice.profile, model: choice.model ?? agent.model, reasoning: choice.reasoning ?? agent.reasoning, agent, account } });
      if (soonest === undefined || until < soonest.until) soonest = { until, key: account.key };
    }
  }
  return soonest === undefined ? err('no agent is named') : ok({ kind: 'cooling', until: soonest.until, why: `the account ${soonest.key} is at its limit` });
}
