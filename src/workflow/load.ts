import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ConfigFault } from '../config/load.js';
import type { Files } from '../lib/files.js';
import { err, type Result } from '../lib/result.js';
import { nearest } from '../lib/text.js';
import type { Workflow } from '../protocol/workflow.js';
import type { Offer, Options, WorkflowText } from './parse.js';

const BUILT_IN = new URL('../../workflows/', import.meta.url);
const PROMPTS = new URL('../../prompts/workflows/', import.meta.url);

/** One session and nothing else: what a task is without a workflow. Its attempts have no steps on disk. */
export const SOLO = 'solo';
/** What is wrong with `with:` there. */
export const WITH_SOLO = 'has a meaning for other workflows than solo; remove it';

const BYTES = 256 * 1024;
const isName = (name: string): boolean => /^[a-z][a-z0-9-]{0,40}$/.test(name);

const builtInNames = (): string[] => readdirSync(BUILT_IN).filter((name) => name.endsWith('.yaml')).map((name) => basename(name, '.yaml')).sort();

function builtIn(name: string): WorkflowText {
  const read = (url: URL): string | undefined => {
    try {
      return readFileSync(url, 'utf8');
    } catch {
      return undefined;
    }
  };
  return { name, file: `workflows/${name}.yaml (built in)`, text: read(new URL(`${name}.yaml`, BUILT_IN)) ?? '', prompt: (file) => (/^[a-z0-9][a-z0-9./-]*$/.test(file) && !file.includes('..') ? read(new URL(`${name}/${file}`, PROMPTS)) : undefined) };
}

/** A person's own, from `<pit>/workflows/`; prompts lie beside it. */
async function own(files: Files, root: string, name: string): Promise<WorkflowText | undefined> {
  const dir = join(root, 'workflows');
  const text = await files.read(join(dir, `${name}.yaml`), BYTES);
  if (text === undefined) return undefined;
  const prompts = new Map<string, string>();
  for (const [, file] of text.matchAll(/\bprompt:\s*["']?([A-Za-z0-9][A-Za-z0-9._/-]*)["']?\s*(?:[,}#\n]|$)/g)) {
    if (file === undefined || file.split('/').includes('..')) continue;
    const read = await files.read(join(dir, file), BYTES);
    if (read !== undefined) prompts.set(file, read);
  }
  return { name, file: `workflows/${name}.yaml`, text, prompt: (file) => prompts.get(file) };
}

/** All names: the built-in ones, and a person's own, which stand before a built-in one of the same name. */
export async function workflowNames(files: Files, root: string): Promise<{ readonly name: string; readonly own: boolean }[]> {
  const theirs = (await files.list(join(root, 'workflows'))).filter((name) => name.endsWith('.yaml') && isName(basename(name, '.yaml')) && name !== `${SOLO}.yaml`).map((name) => basename(name, '.yaml'));
  return [...new Set([...builtInNames(), ...theirs])].sort().map((name) => ({ name, own: theirs.includes(name) }));
}

/** The text of a workflow's file; undefined: nobody has one of that name. */
export async function workflowText(files: Files, root: string, name: string): Promise<WorkflowText | undefined> {
  if (!isName(name)) return undefined;
  // What a task without a workflow is cannot be changed under it.
  return (name === SOLO ? undefined : await own(files, root, name)) ?? (builtInNames().includes(name) ? builtIn(name) : undefined);
}

/** A workflow with a task's options in it; a fault names file and line, or the option. */
export async function loadWorkflow(files: Files, root: string, name: string, options: Options): Promise<Result<{ readonly workflow: Workflow; readonly offer: Offer }, ConfigFault>> {
  const source = await workflowText(files, root, name);
  // zod and yaml come with it, and most snakes work no workflow at all: an idle one would be a third larger.
  if (source !== undefined) return (await import('./parse.js')).parseWorkflow(source, options);
  const known = (await workflowNames(files, root)).map((one) => one.name);
  const near = nearest(name, known);
  return err({ where: 'workflow:', problem: `no workflow is called ${name.slice(0, 60)}${near === undefined ? '' : `; did you mean ${near}?`}; known: ${known.join(', ')}` });
}
