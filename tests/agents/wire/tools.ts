import { at, list, record, text } from './json.js';
import type { Ask, Content, Tool } from './wire.js';
import type { Answer } from '../turns.js';

const SHELLS = ['exec_command', 'shell_command', 'shell', 'local_shell', 'Bash', 'bash', 'run_shell_command', 'execute_command'];
const WRITERS = ['Write', 'write', 'write_file', 'apply_patch'];
const COMMAND = ['command', 'cmd', 'script'];
const PATH = ['file_path', 'filePath', 'path', 'absolute_path'];
const CONTENT = ['content', 'contents', 'text'];

export const shellOf = (tools: readonly Tool[]): Tool | undefined => named(tools, SHELLS);

/** What an answer is on the wire of this agent: the tool it offers for the purpose, its arguments by that tool's schema. */
export function contentOf(answer: Answer, ask: Ask): Content {
  if ('text' in answer) return { kind: 'text', chunks: split(answer.text, 'slow' in answer ? answer.chunks : 3) };
  const shell = shellOf(ask.tools);
  if (answer.tool === 'bash') return shell === undefined ? missing('shell', ask) : call(shell, { command: answer.command, ...(answer.escalated === undefined ? {} : { escalated: true }) });
  const writer = named(ask.tools, WRITERS);
  if (writer?.name === 'apply_patch') return patch(writer, answer.path, answer.content);
  if (writer !== undefined) return call(writer, { path: answer.path, content: answer.content });
  if (shell === undefined) return missing('write', ask);
  return call(shell, { command: `printf %s ${Buffer.from(answer.content).toString('base64')} | base64 -d > '${answer.path.replaceAll("'", `'\\''`)}'` });
}

/** In so many pieces of about equal length, none empty. */
function split(whole: string, pieces: number): string[] {
  const size = Math.max(1, Math.ceil(whole.length / Math.max(1, pieces)));
  const chunks: string[] = [];
  for (let from = 0; from < whole.length; from += size) chunks.push(whole.slice(from, from + size));
  return chunks;
}

const named = (tools: readonly Tool[], names: readonly string[]): Tool | undefined => names.flatMap((name) => tools.filter((tool) => tool.name === name))[0];
const missing = (what: string, ask: Ask): Content => ({ kind: 'text', chunks: [`The script wants a ${what} tool; offered: ${ask.tools.map((tool) => tool.name).join(', ') || 'none'}.`] });

/** Arguments under the names the schema has for them; what else it requires gets a harmless value. */
function call(tool: Tool, values: { command?: string; path?: string; content?: string; escalated?: true }): Content {
  const properties = record(at(tool.schema, 'properties'));
  const args: Record<string, unknown> = {};
  const put = (names: readonly string[], value: string | undefined): void => {
    if (value === undefined) return;
    const key = names.find((name) => name in properties) ?? names[0] ?? '';
    args[key] = at(properties[key], 'type') === 'array' ? ['bash', '-lc', value] : value;
  };
  put(COMMAND, values.command);
  put(PATH, values.path);
  put(CONTENT, values.content);
  if (values.escalated === true && 'sandbox_permissions' in properties) Object.assign(args, { sandbox_permissions: 'require_escalated', justification: 'May this run outside the sandbox?' });
  for (const key of list(at(tool.schema, 'required')).map(text)) {
    if (key in args) continue;
    const type = text(at(properties[key], 'type')).toLowerCase();
    args[key] = type === 'boolean' ? false : type === 'number' || type === 'integer' ? 60_000 : 'one step of the script';
  }
  return { kind: 'call', tool: tool.name, freeform: false, args, input: '' };
}

function patch(tool: Tool, path: string, content: string): Content {
  const lines = content.replace(/\n$/, '').split('\n');
  const input = `*** Begin Patch\n*** Add File: ${path}\n${lines.map((line) => `+${line}\n`).join('')}*** End Patch\n`;
  return { kind: 'call', tool: tool.name, freeform: tool.freeform, args: { input }, input };
}
