import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { newSession } from '../lib/ids.js';
import { nodeFiles } from '../lib/node-files.js';
import type { AgentState } from '../protocol/agent-state.js';
import type { TaskSpec } from '../protocol/task.js';
import { accountsOf, type Chosen } from './choice.js';
import { classifyHeadless } from './headless.js';
import { makeHome } from './home.js';
import type { AgentProfile } from './profile.js';
import { buildProgram, carryOf, placeholdersOf, type ProgramParts } from './program.js';
import { readLines } from './read-lines.js';
import { sessionBase } from './session-env.js';

const QUESTION: TaskSpec = {
  id: undefined, title: '', agents: [], priority: undefined, after: [], notBefore: undefined, timeoutMs: undefined, attempts: undefined, workspace: undefined, base: undefined, policy: undefined, merge: undefined, changes: 'optional', mode: 'headless', wakeMs: undefined, ask: undefined,
  workflow: undefined, with: {}, setup: undefined, verify: [], run: undefined, inputs: {}, parent: undefined, depth: 0, tags: [], budget: undefined, body: 'Use no tools. Answer with the single word: ready',
};

/** How a program did when it was asked for one word, outside any queue. `dir` is the caller's, private and empty. It costs a few tokens. */
export async function trial(profile: AgentProfile, choice: { model: string | undefined; reasoning: string | undefined }, dir: string, outerEnv: Readonly<Record<string, string | undefined>>, timeoutMs: number): Promise<{ state: AgentState; answer: string | undefined; tookMs: number }> {
  const account = accountsOf(profile)[0] ?? { name: undefined, key: profile.account };
  const chosen: Chosen = { profile: profile.name, model: choice.model ?? profile.model, reasoning: choice.reasoning ?? profile.reasoning, agent: profile, account };
  const workspace = join(dir, 'work');
  const parts: ProgramParts = { chosen, mode: 'headless', spec: QUESTION, runDir: dir, workspace, home: join(dir, 'home'), session: newSession(), resumed: false, asRoot: process.getuid?.() === 0, outerEnv, hookScript: '' };
  const program = buildProgram(parts);
  if (!program.ok) return { state: { kind: 'errored', source: 'none', rule: 'profile', evidence: program.error }, answer: undefined, tookMs: 0 };
  await nodeFiles.makeDir(workspace);
  for (const file of program.value.files) await nodeFiles.write(join(dir, file.name), file.text);
  const env = { ...sessionBase(outerEnv, []), ...program.value.env };
  await makeHome(nodeFiles, { profile, carry: carryOf(chosen), home: parts.home, userHome: outerEnv['HOME'] ?? '/', values: placeholdersOf(parts, 'sh'), variable: (name) => program.value.env[name] ?? '' });
  const startedAt = Date.now();
  const ran = await runOnce(program.value.argv, program.value.stdin.kind === 'file' ? program.value.stdin.path : '/dev/null', workspace, env, dir, timeoutMs);
  const tookMs = Date.now() - startedAt;
  const text = async (name: string): Promise<string> => (await nodeFiles.read(join(dir, name))) ?? '';
  const { headless } = profile;
  const lines = readLines(headless?.rules ?? [], await text('out'), Date.now());
  const facts = headless?.output === 'text' ? { ...lines, answer: (await text('out')).trim() } : lines;
  if (ran === undefined) return { state: { kind: 'retrying', source: 'none', rule: 'no end in time', evidence: `it had not ended after ${Math.round(timeoutMs / 1000)} s; last: ${facts.last?.evidence ?? 'nothing'}` }, answer: undefined, tookMs };
  return { state: classifyHeadless(profile, { output: headless?.output ?? 'text', exit: { code: ran }, lines: facts, stderr: await text('err'), now: Date.now() }), answer: facts.answer, tookMs };
}

/** Exit status; undefined when it outlived its time and was killed with its process group. */
function runOnce(argv: readonly string[], stdin: string, cwd: string, env: Readonly<Record<string, string>>, dir: string, timeoutMs: number): Promise<number | undefined> {
  const fds = [openSync(stdin, 'r'), openSync(join(dir, 'out'), 'w'), openSync(join(dir, 'err'), 'w')] as const;
  return new Promise((resolve) => {
    const child = spawn(argv[0] ?? '', argv.slice(1), { cwd, env, detached: true, stdio: [...fds] });
    for (const fd of fds) closeSync(fd);
    const group = (signal: NodeJS.Signals): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, signal);
      } catch {
        // The whole group has ended already.
      }
    };
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      group('SIGKILL');
    }, timeoutMs);
    const settle = (code: number): void => {
      clearTimeout(timer);
      // What it left behind in its group ends with it.
      group('SIGKILL');
      resolve(late ? undefined : code);
    };
    child.on('error', () => settle(127));
    child.on('exit', (code, signal) => settle(code ?? (signal === null ? 1 : 137)));
  });
}
