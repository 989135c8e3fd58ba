import { join } from 'node:path';
import { chooseAgent, printChoice, type Chosen } from '../agents/choice.js';
import { makeHome } from '../agents/home.js';
import { hookScript } from '../agents/hook-script.js';
import { launcherScript } from '../agents/launcher.js';
import { buildProgram, carryOf, placeholdersOf, PROGRAM_FILES, type Program, type ProgramParts } from '../agents/program.js';
import { promptText } from '../agents/prompts.js';
import { residentEnv } from '../agents/session-env.js';
import type { ResidentConfig } from '../config/config.js';
import { newSession } from '../lib/ids.js';
import { err, ok, type Result } from '../lib/result.js';
import { RUN_FILES, type AttemptRecord } from '../protocol/records.js';
import type { TaskSpec } from '../protocol/task.js';
import { coolingAccounts } from './cooling.js';
import { placesOf } from '../protocol/resident-places.js';
import { claimFile, residentMarker, residentSession, runDirOf } from './places.js';
import type { ResidentPorts, ResidentSetting, ResidentWorld } from './ports.js';
import type { ResidentKind, Run } from './state.js';
import { agentsOf } from './wanted.js';

/** Runs of one resident that are kept, the newest: what they printed, and what was seen of them. */
const KEPT_RUNS = 5;
const PROMPT_BYTES = 1024 * 1024;
/** A long life has no end to count down to. */
const NO_TIMEOUT = Number.MAX_SAFE_INTEGER;

/** What it is told: its own text, or its file's as it is now. */
export async function promptOf({ files }: Pick<ResidentPorts, 'files'>, root: string, asked: ResidentConfig): Promise<Result<string, string>> {
  if (asked.prompt !== undefined) return ok(asked.prompt);
  const file = asked['prompt-file'];
  if (file === undefined) return err('it has neither prompt: nor prompt-file:');
  const text = await files.read(join(root, file), PROMPT_BYTES);
  return text === undefined || text.trim() === '' ? err(`prompt-file: ${file} is missing, empty, or no regular file`) : ok(text);
}

/**
 * Makes the run's directory, and last, as the sign that all is there, the attempt record. May be repeated after a crash: the
 * launcher starts once. The claim is laid first, so that ending the run fences a launch that is under way.
 */
export async function prepareRun(ports: ResidentPorts, setting: ResidentSetting, world: ResidentWorld, name: string, kind: ResidentKind, run: Run, asked: ResidentConfig): Promise<Result<AttemptRecord | undefined, string>> {
  const { files } = ports;
  const { layout } = setting;
  const dir = runDirOf(layout, name, run);
  const places = placesOf(layout, name);
  await prune(ports, places.runs, run.nonce);
  await files.makeDir(places.claims);
  await files.write(claimFile(layout, name, run), '');
  await files.makeDir(dir);
  const workspace = asked.workspace === 'own' ? places.work : layout.root;
  await files.makeDir(workspace);
  if (kind === 'service') {
    const script = join(dir, PROGRAM_FILES.script);
    await files.write(script, `${asked.command ?? ''}\n`);
    await writeLauncher(ports, setting, world, name, run, workspace, { argv: ['/bin/sh', script], stdin: { kind: 'nothing' }, stream: undefined }, {});
    return ok(undefined);
  }
  const prompt = await promptOf(ports, layout.root, asked);
  if (!prompt.ok) return prompt;
  const choosing = chooseAgent(world.profiles, agentsOf(world.config, asked), await coolingAccounts(ports, setting));
  if (!choosing.ok) return choosing;
  if (choosing.value.kind === 'cooling') return err(choosing.value.why);
  const { chosen } = choosing.value;
  const attempt = attemptRecord(ports, name, kind, run, chosen, workspace, places.home);
  const parts: ProgramParts = {
    chosen, spec: specOf(prompt.value), runDir: dir, mode: attempt.mode, workspace, home: attempt.home, session: attempt.session, resumed: false,
    asRoot: setting.asRoot, outerEnv: setting.outerEnv, hookScript: hookScript(), prompt: `${promptText('resident')}\n${prompt.value.trim()}\n`,
  };
  const program = buildProgram(parts);
  if (!program.ok) return program;
  for (const file of program.value.files) await files.write(join(dir, file.name), file.text);
  await makeHome(files, {
    profile: chosen.agent, carry: carryOf(chosen), home: attempt.home, userHome: setting.outerEnv['HOME'] ?? '/',
    values: placeholdersOf(parts, 'sh'), variable: (variable) => program.value.env[variable] ?? '',
  });
  await writeLauncher(ports, setting, world, name, run, workspace, program.value, program.value.env, chosen);
  await files.write(join(dir, RUN_FILES.attempt), `${JSON.stringify(attempt)}\n`);
  return ok(attempt);
}

function attemptRecord({ clock }: ResidentPorts, name: string, kind: 'interactive' | 'headless', run: Run, chosen: Chosen, workspace: string, home: string): AttemptRecord {
  const { agent, account } = chosen;
  return {
    marker: residentMarker(name, run), agent: printChoice(chosen), attempt: 1, startedAt: clock.wallMs(), startedMonoMs: clock.monoMs(), boot: run.boot, timeoutMs: NO_TIMEOUT,
    workspace, privateWorkspace: false, profile: agent.name, mode: kind, account: account.key, home: join(home, account.name === undefined ? agent.name : `${agent.name}.${account.name}`),
    session: newSession(), resumed: false, resident: true,
  };
}

const specOf = (body: string): TaskSpec => ({
  id: undefined, title: '', agents: [], priority: undefined, after: [], notBefore: undefined, timeoutMs: undefined, attempts: undefined, workspace: undefined, base: undefined, policy: undefined, merge: undefined, changes: 'optional', mode: undefined, wakeMs: undefined, ask: undefined,
  workflow: undefined, with: {}, setup: undefined, verify: [], run: undefined, inputs: {}, parent: undefined, depth: 0, tags: [], budget: undefined, body,
});

async function writeLauncher({ files }: ResidentPorts, { layout, pitId, outerEnv, viewer }: ResidentSetting, { config }: ResidentWorld, name: string, run: Run, workspace: string, program: Pick<Program, 'argv' | 'stdin' | 'stream'>, own: Readonly<Record<string, string>>, chosen?: Chosen): Promise<void> {
  const dir = runDirOf(layout, name, run);
  const marker = residentMarker(name, run);
  const env = { ...residentEnv(outerEnv, config.env, { resident: name, marker, pitId, runDir: dir, workspace, root: layout.root, queue: layout.queue, binDir: layout.bin }), ...own };
  const stderr = join(dir, RUN_FILES.stderr);
  const shows = program.stream === undefined || chosen === undefined ? [] : [...viewer, chosen.profile, program.stream, stderr];
  await files.write(join(dir, RUN_FILES.launcher), launcherScript({ runDir: dir, claimedDir: placesOf(layout, name).claims, marker, workspace, umask: config.sessionUmask, env, program, stderr, viewer: shows }));
}

/** Starts it in the pit's tmux. May be repeated: a name exists once, and so does `started`. */
export async function launchRun({ tmux }: ResidentPorts, { layout, pitId }: ResidentSetting, name: string, run: Run): Promise<void> {
  const dir = runDirOf(layout, name, run);
  await tmux.launch({
    session: residentSession(name, run),
    env: { SNAKEPIT_CLAIM: residentMarker(name, run), SNAKEPIT_PIT: pitId },
    argv: ['/bin/sh', join(dir, RUN_FILES.launcher)],
    recording: join(dir, RUN_FILES.output),
    size: { columns: 160, rows: 48 },
  });
}

async function prune({ files }: ResidentPorts, runs: string, keep: string): Promise<void> {
  const old: { path: string; at: number }[] = [];
  for (const run of await files.list(runs)) if (run !== keep) old.push({ path: join(runs, run), at: (await files.mtimeMs(join(runs, run))) ?? 0 });
  for (const { path } of old.sort((a, b) => b.at - a.at).slice(KEPT_RUNS - 1)) await files.remove(path);
}
