import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { QUICK, type Pit } from '../rig/pit.js';
import { read, story } from '../integration/rig.js';

const PLAYER = fileURLToPath(new URL('player.mjs', import.meta.url));

/** A directory for each go of a test, with a script's name and a gate's; gone after the file's last test. */
export function goes(): () => { readonly dir: string; readonly script: string; readonly gate: string } {
  const top = fs.mkdtempSync(join(tmpdir(), 'snakepit-flow-'));
  afterAll(() => fs.rmSync(top, { recursive: true, force: true }));
  return () => {
    const dir = fs.mkdtempSync(join(top, 'go-'));
    return { dir, script: join(dir, 'script.json'), gate: join(dir, 'gate') };
  };
}

/** A session as the scripted agent saw itself. */
export interface Played {
  readonly name: string;
  readonly task: string;
  readonly step: string;
  readonly round: string;
  readonly pid: number;
  readonly env: Readonly<Record<string, string>>;
  readonly prompt: string;
}

/** Two agents, `author` and `critic`, of two providers, that play what a pit's script says; and the configuration around them. */
export function playersConfig(script: string, more: readonly string[] = []): string[] {
  const profile = (name: string): string[] => [
    `  ${name}:`,
    `    extends: command`,
    `    binary: ${JSON.stringify(process.execPath)}`,
    `    account: of-${name}`,
    `    env: {WHO: the ${name}}`,
    `    headless: {argv: [${JSON.stringify(process.execPath)}, ${JSON.stringify(PLAYER)}, ${name}, ${JSON.stringify(script)}], prompt: file, output: text}`,
  ];
  return [...QUICK, 'agent: author', ...more, 'agents:', ...profile('author'), ...profile('critic')];
}

/** Lines of shell by step, one for each time that it runs; the last one repeats. */
export type Plan = Readonly<Record<string, readonly string[]>>;

export const writePlan = (script: string, plan: Plan): void => fs.writeFileSync(script, JSON.stringify(plan));

/** Who ran, in order. */
export const played = (script: string): Played[] => read(`${script}.log`).split('\n').filter(Boolean).map((line) => JSON.parse(line) as Played);

/** The same, short: "propose author", "review/2 critic". */
export const order = (script: string, task?: string): string[] => played(script).filter((one) => task === undefined || one.task === task).map(({ step, round, name }) => `${step}${round === '1' || round === undefined ? '' : `/${round}`} ${name}`);

export const say = {
  done: (words: string): string => `"$SNAKEPIT_COMMAND" done '${words}'`,
  pass: `"$SNAKEPIT_COMMAND" done --verdict PASS 'looked at all of it'`,
  reject: (words: string): string => `"$SNAKEPIT_COMMAND" done --verdict REJECT '${words}'`,
} as const;

/** The directory of a task's attempts, newest first. */
export function attemptsOf(pit: Pit, id: string): string[] {
  const dir = join(pit.layout.runs, id);
  return fs.existsSync(dir) ? fs.readdirSync(dir).filter((name) => /^\d{3}-/.test(name)).sort().reverse().map((name) => join(dir, name)) : [];
}

/** It has ended, and its story is written. */
export const settled = (pit: Pit, id: string): boolean => story(pit, 'done', id) !== '' || story(pit, 'failed', id) !== '';
