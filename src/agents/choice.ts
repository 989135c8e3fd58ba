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

/** A model's name becomes an argument of its own: never one that reads as an option. */
const MODEL = /^[^-\s\p{C}][^\s\p{C}]{0,199}$/u;

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

/** `account: none` is nobody's: two programs that need no provider share no limit. */
export const accountsOf = (profile: AgentProfile): AccountChoice[] => {
  const account = profile.account === 'none' ? `none.${profile.name}` : profile.account;
  return profile.accounts.length === 0 ? [{ name: undefined, key: account }] : profile.accounts.map(({ name }) => ({ name, key: `${account}.${name}` }));
};

/** Nothing is sent to an account before `until` (wall clock, milliseconds). */
export interface Cooling {
  readonly until: number;
  readonly why: string;
}

/** "cooling": every wanted agent exists, and none of its accounts takes anything now; `account` is the one that does soonest. */
export type Choosing = { readonly kind: 'chosen'; readonly chosen: Chosen } | ({ readonly kind: 'cooling'; readonly account: string } & Cooling);

/** What the task, or else the configuration, wants, in order. After a start that came to nothing, the profile that it was comes last: the next provider may answer. */
export function wantedAgents(ofTask: readonly string[], fallback: string, neverBegan: string | undefined): string[] {
  const wanted = ofTask.length > 0 ? ofTask : fallback.split(',');
  const failed = neverBegan === undefined ? undefined : parseChoice(neverBegan).profile;
  const isFailed = (one: string): boolean => parseChoice(one).profile === failed;
  return [...wanted.filter((one) => !isFailed(one)), ...wanted.filter(isFailed)];
}

/** The first wanted agent with an account that is not cooling. An unknown name is an error even behind a good one: it is a slip of the pen that would strike at night. */
export function chooseAgent(profiles: Profiles, wanted: readonly string[], coolingOf: (key: string) => Cooling | undefined): Result<Choosing, string> {
  const choices = wanted.map(parseChoice);
  const known = Object.keys(profiles);
  let soonest: ({ readonly account: string } & Cooling) | undefined;
  for (const choice of choices) {
    if (profiles[choice.profile] !== undefined) continue;
    const near = nearest(choice.profile, known);
    return err(`no agent profile is called ${choice.profile}${near === undefined ? '' : `; did you mean ${near}?`}; known: ${known.join(', ')}`);
  }
  const odd = choices.find(({ model }) => model !== undefined && !MODEL.test(model));
  if (odd !== undefined) return err(`${JSON.stringify(odd.model)} is no name of a model: it begins with a dash, or holds blanks or controls, and a program could take it for an option`);
  for (const choice of choices) {
    const agent = profiles[choice.profile] as AgentProfile;
    for (const account of accountsOf(agent)) {
      const cooling = coolingOf(account.key);
      if (cooling === undefined) return ok({ kind: 'chosen', chosen: { profile: choice.profile, model: choice.model ?? agent.model, reasoning: choice.reasoning ?? agent.reasoning, agent, account } });
      if (soonest === undefined || cooling.until < soonest.until) soonest = { until: cooling.until, why: cooling.why, account: account.key };
    }
  }
  return soonest === undefined ? err('no agent is named') : ok({ kind: 'cooling', ...soonest });
}

/** Of these, the agents whose provider is another than that of an account. */
export function othersThan(profiles: Profiles, wanted: readonly string[], account: string | undefined): string[] {
  const provider = (key: string): string => key.split('.')[0] ?? key;
  return wanted.filter((one) => {
    const profile = profiles[parseChoice(one).profile];
    // A name that nobody has is told as such.
    return profile === undefined || account === undefined || accountsOf(profile).every(({ key }) => provider(key) !== provider(account));
  });
}
