import { chooseAgent, type Profiles } from '../agents/choice.js';
import { promptText } from '../agents/prompts.js';
import type { Config } from '../config/config.js';
import { placeOf, type ConfigFault } from '../config/load.js';
import type { FACTS, SpecialistConfig } from '../config/specialists.js';
import { err, ok, type Result } from '../lib/result.js';
import { fencedShell } from '../protocol/task.js';
import { SETTING } from '../recurring/state.js';
import { loadTemplate, type LoadedTemplate } from '../recurring/template.js';

/*
 * A specialist is a recurring task whose template stands in snakepit.yaml: this makes that template's text of its keys, and everything
 * that holds for templates (one instance for each due time, never two at once, whatever is killed) holds for it.
 */

export type FactKind = (typeof FACTS)[number];

/** Its keys that are keys of a template too, in this order; each takes one line, so that a fault of a line is one of a key. */
const KEYS = ['agent', 'every', 'cron', 'tz', 'catch-up', 'mode', 'timeout', 'attempts', 'priority', 'workspace'] as const satisfies readonly (keyof SpecialistConfig)[];

/** The prompts that come along, and what they are told first. */
const BUILT_IN: ReadonlyMap<string, FactKind> = new Map([['triage', 'failed'], ['week', 'week']]);

export const factsOf = (asked: SpecialistConfig): FactKind => asked.facts ?? BUILT_IN.get(asked.prompt?.trim() ?? '') ?? 'none';

/** What it is to do; undefined where that stands in a file. */
export const ownPrompt = ({ prompt }: SpecialistConfig): string | undefined => (prompt !== undefined && BUILT_IN.has(prompt.trim()) ? promptText(prompt.trim() as 'triage' | 'week') : prompt);

const headingOf = (name: string): string => `# Specialist: ${name}\n\n`;

/** Its template; the fault names the key. */
export async function templateOf(name: string, asked: SpecialistConfig, prompt: string, limits: { readonly maxTaskBytes: number; readonly zone: string }): Promise<Result<LoadedTemplate, { readonly key: string; readonly problem: string }>> {
  const keys = KEYS.filter((key) => asked[key] !== undefined);
  // JSON is YAML, and a quoted text has one line. One session, whatever tasks are worked by here.
  const text = ['---', ...keys.map((key) => `${key}: ${JSON.stringify(asked[key])}`), 'workflow: solo', '---', `${headingOf(name)}${prompt}`].join('\n');
  const loaded = await loadTemplate(Buffer.from(text), Buffer.from(`${name}.md`), limits, `${SETTING}specialists.${name}`);
  if (loaded.ok) return loaded;
  const { line, problem, fix } = loaded.error;
  return err({ key: keys[line - 2] ?? (asked['prompt-file'] === undefined ? 'prompt' : 'prompt-file'), problem: `${problem}; ${fix}` });
}

/**
 * An instance with facts in it: right below the heading, and so before whatever a prompt may leave open. No line of them may be able to
 * open a fence: each begins with a sign of its own (facts-words.ts).
 */
export function withFacts(name: string, instance: string, facts: readonly string[]): string {
  const head = instance.indexOf('\n---\n') + 5;
  const heading = headingOf(name);
  const at = instance.startsWith(heading, head) ? head + heading.length : head;
  return facts.length === 0 ? instance : `${instance.slice(0, at)}${facts.join('\n')}\n\n${instance.slice(at)}`;
}

/** The first specialist of `specialists:` that cannot be: of its times, its keys, or its agent. */
export async function specialistFault(file: string, text: string | undefined, config: Config, profiles: Profiles, zone: string): Promise<ConfigFault | undefined> {
  for (const [name, asked] of Object.entries(config.specialists)) {
    const wrong = (key: string, problem: string): ConfigFault => ({ where: placeOf(file, text, ['specialists', name, key]), problem: `specialists.${name}.${key}: ${problem}` });
    const made = await templateOf(name, asked, ownPrompt(asked) ?? 'Its file.', { maxTaskBytes: config.maxTaskBytes, zone });
    if (!made.ok) return wrong(made.error.key, made.error.problem);
    const workable = agentOf(config, asked, profiles);
    if (!workable.ok) return wrong(workable.error.key, workable.error.problem);
  }
  return undefined;
}

function agentOf(config: Config, asked: SpecialistConfig, profiles: Profiles): Result<undefined, { readonly key: 'agent' | 'mode'; readonly problem: string }> {
  const named = asked.agent === undefined ? [config.agent] : typeof asked.agent === 'string' ? [asked.agent] : asked.agent;
  const chosen = chooseAgent(profiles, named, () => undefined);
  if (!chosen.ok) return err({ key: 'agent', problem: chosen.error });
  if (chosen.value.kind !== 'chosen') return err({ key: 'agent', problem: 'no agent is named' });
  const { agent } = chosen.value.chosen;
  const mode = asked.mode ?? agent.mode;
  const way = mode === 'headless' ? agent.headless : agent.interactive;
  if (way === undefined) return err({ key: asked.mode === undefined ? 'agent' : 'mode', problem: `the agent ${agent.name} has no ${mode} mode` });
  const prompt = ownPrompt(asked);
  if (way.prompt === 'blocks' && prompt !== undefined && fencedShell(prompt).length === 0) return err({ key: 'agent', problem: `${agent.name} runs sh blocks, and the prompt has none; name the agent that is to judge, such as agent: claude` });
  return ok(undefined);
}
