import { readFileSync } from 'node:fs';
import { showLines } from '../lib/text.js';
import type { Asked } from '../protocol/records.js';

export type PromptName = 'headless' | 'interactive' | 'resume' | 'resume-answered' | 'answered' | 'nudge-done' | 'nudge-go-on' | 'resident' | 'wake' | 'worktree' | 'triage' | 'week' | 'workflows/step' | 'workflows/read' | 'workflows/write' | 'workflows/worktree-read' | 'workflows/verdict' | 'workflows/end-headless' | 'workflows/end-interactive';

/** The built-in text, as its file under prompts/ says. */
export const promptText = (name: PromptName): string => readFileSync(new URL(`../../prompts/${name}.md`, import.meta.url), 'utf8');

/** Variables that a prompt names: each must be set in the session that reads it. */
export const variablesIn = (text: string): string[] => [...new Set([...text.matchAll(/\$(SNAKEPIT_[A-Z_]+)/g)].map((match) => match[1] ?? ''))];

/** Why an attempt goes on with an earlier session: "fresh" does not, "interrupted" was ended from outside, "answered" asked a person. */
export type Beginning = 'fresh' | 'interrupted' | 'answered';

/** What the agent reads: how it is to work, what was asked and answered before, then the task in the person's own words. */
export function taskPrompt(mode: 'headless' | 'interactive', beginning: Beginning, body: string, asked: readonly Asked[] = [], inWorktree = false): string {
  // A session that goes on knows the earlier answers.
  const told = beginning === 'answered' ? asked.slice(-1) : asked;
  const opening = beginning === 'interrupted' ? promptText('resume') : beginning === 'answered' ? promptText('resume-answered') : '';
  const answers = told.length === 0 ? '' : `${beginning === 'answered' ? '' : promptText('answered')}${told.map(askedText).join('')}`;
  return `${opening}${answers}${rules(mode, inWorktree)}\n${body.trim()}\n`;
}

/** The rules of a worktree stand at the end of the list. */
const rules = (mode: 'headless' | 'interactive', inWorktree: boolean): string => (inWorktree ? promptText(mode).replace(/\n(?=\nThe task:\n$)/, () => `\n${promptText('worktree')}`) : promptText(mode));

/** What the session of a step reads: how every step works, what this one is there for, then the task. */
export function stepPrompt(mode: 'headless' | 'interactive', beginning: Beginning, step: { readonly prompt: string; readonly rights: 'read' | 'write'; readonly verdict: boolean }, body: string, asked: readonly Asked[] = [], inWorktree = false): string {
  const told = beginning === 'answered' ? asked.slice(-1) : asked;
  const opening = beginning === 'interrupted' ? promptText('resume') : beginning === 'answered' ? promptText('resume-answered') : '';
  const answers = told.length === 0 ? '' : `${beginning === 'answered' ? '' : promptText('answered')}${told.map(askedText).join('')}`;
  const rules = `${promptText('workflows/step')}${promptText(step.rights === 'read' ? 'workflows/read' : 'workflows/write')}${inWorktree ? promptText(step.rights === 'read' ? 'workflows/worktree-read' : 'worktree') : ''}${promptText(step.verdict ? 'workflows/verdict' : mode === 'interactive' ? 'workflows/end-interactive' : 'workflows/end-headless')}`;
  return `${opening}${answers}${rules}\n${step.prompt.trim()}\n\nThe task:\n\n${body.trim()}\n`;
}

const askedText = ({ question, answer }: Asked): string => `What was asked:\n${fenced(question)}The person's answer:\n${answer === undefined || answer === '' ? 'No words: read the task below, it may have been changed.\n' : fenced(answer)}\n`;

const fenced = (text: string): string => `~~~~\n${showLines(text).replaceAll('~~~~', '~~~').trimEnd()}\n~~~~\n`;
