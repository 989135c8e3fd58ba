import { parseDocument } from 'yaml';
import { placeOf, type ConfigFault } from '../config/load.js';
import { parseDuration } from '../lib/duration.js';
import { err, ok, type Result } from '../lib/result.js';
import { nearest } from '../lib/text.js';
import type { LoopSpec, Node, Seat, StepSpec, Workflow } from '../protocol/workflow.js';
import { faultIn } from './check.js';
import { workflowSchema, type NodeFile, type OptionFile, type OptionValue, type StepFile } from './schema.js';

/** What a task may say with `with:`; `agents` is always among them: step → who works it. */
export type Options = Readonly<Record<string, unknown>>;

/** A workflow's file, and where it lies: for faults. */
export interface WorkflowText {
  readonly name: string;
  readonly file: string;
  readonly text: string;
  /** The text of a prompt's file; undefined: there is none. */
  readonly prompt: (file: string) => string | undefined;
}

/** What a file offers to its tasks. */
export interface Offer {
  readonly title: string;
  readonly options: Readonly<Record<string, OptionFile>>;
}

type Path = readonly (string | number)[];
type Fault = { readonly path: Path; readonly problem: string };

/** Texts of these keys are taken as they are: a task may choose numbers and agents, never a command. */
const VERBATIM: ReadonlySet<string> = new Set(['prompt', 'command', 'file', 'line', 'title']);

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);
const defaultOf = (option: OptionFile): OptionValue => (isMap(option) ? option.default : option);

/** Reads a workflow with the options of a task. A fault in the file names its line; one of the options, the key of `with:`. */
export function parseWorkflow(source: WorkflowText, options: Options = {}): Result<{ readonly workflow: Workflow; readonly offer: Offer }, ConfigFault> {
  const { file, text } = source;
  const at = ({ path, problem }: Fault): Result<never, ConfigFault> => err({ where: placeOf(file, text, path.map(String)), problem: path.length === 0 ? problem : `${path.join('.')}: ${problem}` });
  let raw: unknown;
  try {
    const doc = parseDocument(text, { schema: 'core', prettyErrors: true });
    const [broken] = doc.errors;
    if (broken !== undefined) return err({ where: `${file}:${broken.linePos?.[0].line ?? 1}`, problem: `broken YAML: ${broken.message.split('\n')[0] ?? ''}` });
    raw = doc.toJS({ maxAliasCount: 50 });
  } catch (cause) {
    return err({ where: file, problem: `broken YAML: ${cause instanceof Error ? cause.message : String(cause)}` });
  }
  if (!isMap(raw)) return at({ path: [], problem: 'is not a list of keys; write title: and steps:' });
  const offered = workflowSchema.shape.options.safeParse(raw['options']);
  if (!offered.success) return at({ path: ['options', ...(offered.error.issues[0]?.path ?? []).map(String)], problem: offered.error.issues[0]?.message ?? 'is not valid' });
  const chosen = choose(source.name, offered.data, options);
  if (!chosen.ok) return err({ where: 'with:', problem: chosen.error });
  const filled = fill(raw['steps'], chosen.value, ['steps']);
  if ('problem' in filled) return at(filled);
  const parsed = workflowSchema.safeParse({ ...raw, steps: filled.value });
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const [unknown] = issue?.code === 'unrecognized_keys' ? issue.keys : [];
    return at({ path: [...((issue?.path ?? []) as Path), ...(unknown === undefined ? [] : [unknown])], problem: unknown === undefined ? (issue?.message ?? 'is not valid') : 'unknown key; a workflow has title:, options:, steps:' });
  }
  const asked = isMap(options['agents']) ? options['agents'] : {};
  const made = nodesOf(parsed.data.steps, chosen.value, asked, source, ['steps']);
  if ('problem' in made) return at(made);
  const workflow: Workflow = { name: source.name, title: parsed.data.title, nodes: made.value };
  const fault = faultIn(workflow.nodes);
  if (fault !== undefined) return at({ path: pathTo(parsed.data.steps, fault.id, ['steps']) ?? ['steps'], problem: fault.problem });
  const stranger = Object.keys(asked).find((id) => pathTo(parsed.data.steps, id, []) === undefined);
  if (stranger !== undefined) return err({ where: 'with:', problem: `agents.${stranger}: the workflow ${source.name} has no step of that name` });
  return ok({ workflow, offer: { title: parsed.data.title, options: offered.data } });
}

/** The defaults with a task's own choices in their place. */
function choose(name: string, offered: Readonly<Record<string, OptionFile>>, options: Options): Result<Readonly<Record<string, OptionValue>>, string> {
  const chosen: Record<string, OptionValue> = Object.fromEntries(Object.entries(offered).map(([key, option]) => [key, defaultOf(option)]));
  for (const [key, value] of Object.entries(options)) {
    if (key === 'agents') {
      if (!isMap(value) || !Object.values(value).every((one) => typeof one === 'string' || (Array.isArray(one) && one.every((agent) => typeof agent === 'string')))) return err('agents: is no map of steps to agents; write agents: {review: codex}');
      continue;
    }
    const option = offered[key];
    const before = chosen[key];
    if (option === undefined || before === undefined) {
      const near = nearest(key, Object.keys(offered));
      return err(`${key}: the workflow ${name} has no such option${near === undefined ? `; it has ${[...Object.keys(offered), 'agents'].join(', ')}` : `; did you mean ${near}?`}`);
    }
    const taken = Array.isArray(before) && typeof value === 'string' ? [value] : value;
    // What stands in a list is judged where it is filled in.
    const fits = Array.isArray(before) ? Array.isArray(taken) && taken.length <= 20 : typeof taken === typeof before;
    if (!fits) return err(`${key}: is not ${Array.isArray(before) ? 'a list' : `a ${typeof before === 'string' ? 'word' : typeof before}`}, as its default is`);
    if (isMap(option) && !option.of.includes(String(taken))) return err(`${key}: use ${option.of.join(' or ')}`);
    chosen[key] = taken as OptionValue;
  }
  return ok(chosen);
}

/** Whole texts `$name` become the option's value, but for those that are taken as they are. */
function fill(value: unknown, chosen: Readonly<Record<string, OptionValue>>, path: Path): { readonly value: unknown } | Fault {
  if (typeof value === 'string' && value.startsWith('$') && !VERBATIM.has(String(path.at(-1)))) {
    const name = value.slice(1);
    return Object.hasOwn(chosen, name) ? { value: chosen[name] } : { path, problem: `no option is called ${name}; declare it under options: with its default` };
  }
  if (!Array.isArray(value) && !isMap(value)) return { value };
  const filled: [string, unknown][] = [];
  for (const [key, inner] of Object.entries(value)) {
    const one = fill(inner, chosen, [...path, key]);
    if ('problem' in one) return one;
    filled.push([key, one.value]);
  }
  return { value: Array.isArray(value) ? filled.map(([, inner]) => inner) : Object.fromEntries(filled) };
}

function nodesOf(files: readonly NodeFile[], chosen: Readonly<Record<string, OptionValue>>, asked: Readonly<Record<string, unknown>>, source: WorkflowText, path: Path): { readonly value: readonly Node[] } | Fault {
  const nodes: Node[] = [];
  for (const [index, one] of files.entries()) {
    const stray = Object.keys(one.when ?? {}).find((key) => !Object.hasOwn(chosen, key));
    if (stray !== undefined) return { path: [...path, index, 'when', stray], problem: 'no option is called so; declare it under options: with its default' };
    if (!Object.entries(one.when ?? {}).every(([key, wanted]) => (Array.isArray(wanted) ? wanted : [wanted]).includes(chosen[key] as string))) continue;
    if ('await' in one) {
      nodes.push({ kind: 'await', id: one.await });
      continue;
    }
    if ('loop' in one) {
      const inner = nodesOf(one.steps, chosen, asked, source, [...path, index, 'steps']);
      if ('problem' in inner) return inner;
      const { until } = one;
      const loop: LoopSpec = {
        kind: 'loop', id: one.loop, max: one.max, each: one.each, nodes: inner.value,
        until: until?.verdict !== undefined ? { kind: 'verdict', steps: typeof until.verdict === 'string' ? [until.verdict] : until.verdict } : until?.command !== undefined ? { kind: 'command', command: until.command } : until?.file !== undefined ? { kind: 'file', file: until.file, line: until.line ?? '' } : undefined,
      };
      nodes.push(loop);
      continue;
    }
    const prompt = /\s/.test(one.prompt) ? one.prompt : source.prompt(one.prompt);
    if (prompt === undefined || prompt.trim() === '') return { path: [...path, index, 'prompt'], problem: `there is no file ${one.prompt} beside the workflow, or it is empty` };
    nodes.push(stepOf(one, prompt, asked[one.step]));
  }
  return { value: nodes };
}

const list = (agents: unknown): string[] => (typeof agents === 'string' ? [agents] : Array.isArray(agents) ? (agents as string[]) : []);

function stepOf(file: StepFile, prompt: string, asked: unknown): StepSpec {
  const own = list(asked ?? file.agent);
  const seats = (file.seats ?? []).map((seat): Seat => (typeof seat === 'string' || Array.isArray(seat) ? { agents: list(seat), veto: false } : { agents: seat.agent === undefined ? own : list(seat.agent), veto: seat.veto }));
  return {
    kind: 'step', id: file.step, prompt, rights: file.rights, verdict: file.verdict, pass: file.pass, otherThanAuthor: file['other-than'] === 'author',
    seats: asked !== undefined || seats.length === 0 ? [{ agents: own, veto: false }] : seats,
    mode: file.mode, timeoutMs: file.timeout === undefined ? undefined : parseDuration(file.timeout), rounds: file.rounds,
    ...(file.hold ? { hold: true } : {}),
    hands: file.hands.map(({ file: name, line, times }) => ({ file: name, line, times })),
  };
}

/** Where a step or a loop stands in the file. */
function pathTo(files: readonly NodeFile[], id: string, path: Path): Path | undefined {
  for (const [index, one] of files.entries()) {
    if (('loop' in one ? one.loop : 'await' in one ? one.await : one.step) === id) return [...path, index];
    const inner = 'loop' in one ? pathTo(one.steps, id, [...path, index, 'steps']) : undefined;
    if (inner !== undefined) return inner;
  }
  return undefined;
}
