import { readFileSync } from 'node:fs';

export type PromptName = 'headless' | 'interactive' | 'resume' | 'nudge-done' | 'nudge-go-on';

/** The built-in text, as its file under prompts/ says. */
export const promptText = (name: PromptName): string => readFileSync(new URL(`../../prompts/${name}.md`, import.meta.url), 'utf8');

/** Variables that a prompt names: each must be set in the session that reads it. */
export const variablesIn = (text: string): string[] => [...new Set([...text.matchAll(/\$(SNAKEPIT_[A-Z_]+)/g)].map((match) => match[1] ?? ''))];

/** What the agent reads: how it is to work, then the task in the person's own words. */
export const taskPrompt = (mode: 'headless' | 'interactive', resumed: boolean, body: string): string => `${resumed ? promptText('resume') : ''}${promptText(mode)}\n${body.trim()}\n`;
