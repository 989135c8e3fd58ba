import { join } from 'node:path';
import { coolingAccounts } from './cooling.js';
import { chooseAgent } from '../agents/choice.js';
import { classifyHeadless } from '../agents/headless.js';
import { PROGRAM_FILES } from '../agents/program.js';
import { readLines } from '../agents/read-lines.js';
import { parseExit, parseJson, parseSession, RUN_FILES, type AgentRecord, type ExitRecord, type VerdictRecord } from '../protocol/records.js';
import { readAgent, readAttempt } from '../runs/run-dir.js';
import { runDirOf, runOf } from './places.js';
import type { Hands, ResidentPorts, ResidentSetting, ResidentWorld } from './ports.js';
import type { ResidentLook, ResidentRecord } from './state.js';
import { agentsOf } from './wanted.js';

const STREAM_BYTES = 16 * 1024 * 1024;
const STDERR_BYTES = 256 * 1024;

/** One look at a resident: facts, no verdicts. The leader's liveness is read before the exit record, so that "dead without a record" is never a race. */
export async function observeResident(ports: ResidentPorts, setting: ResidentSetting, world: ResidentWorld, record: ResidentRecord, hands: Hands): Promise<ResidentLook> {
  const run = runOf(record.phase);
  const own = run !== undefined && hands.nonce === run.nonce ? hands : undefined;
  const bare: ResidentLook = {
    started: false, leader: 'none', exit: undefined, agent: undefined, verdict: undefined, coolsUntil: undefined,
    tries: own?.tries ?? 0, sinceTryMs: own === undefined ? 0 : ports.clock.monoMs() - own.triedMonoMs, failed: own?.failed, ended: own?.ended,
  };
  if (run === undefined) return { ...bare, coolsUntil: await beforeStart(ports, setting, world, record) };
  if (record.phase.kind === 'ending') return bare;
  const { files, processes } = ports;
  const dir = runDirOf(setting.layout, record.name, run);
  const session = parseSession(await files.read(join(dir, RUN_FILES.session)), run.boot);
  const leader = session === undefined ? 'none' : await processes.liveness(session.leader);
  const exit = parseExit(await files.read(join(dir, RUN_FILES.exit)));
  const started = await files.exists(join(dir, RUN_FILES.started));
  if (record.kind === 'service') return { ...bare, started, leader, exit };
  const attempt = await readAttempt(files, dir);
  const cooling = await coolingAccounts(ports, setting);
  return {
    ...bare, started, leader, exit,
    agent: exit !== undefined && record.kind === 'headless' && attempt !== undefined ? await atItsEnd(ports, world, attempt.profile, dir, exit) : await readAgent(files, dir),
    verdict: parseJson<VerdictRecord>(await files.read(join(dir, RUN_FILES.verdict))),
    coolsUntil: attempt === undefined ? undefined : cooling(attempt.account)?.until,
  };
}

/** A start is a prompt: not while each account that it may use is at its limit. */
async function beforeStart(ports: ResidentPorts, setting: ResidentSetting, { config, profiles }: ResidentWorld, { name }: ResidentRecord): Promise<number | undefined> {
  const asked = config.residents[name];
  if (asked === undefined || asked.command !== undefined) return undefined;
  const choosing = chooseAgent(profiles, agentsOf(config, asked), await coolingAccounts(ports, setting));
  return choosing.ok && choosing.value.kind === 'cooling' ? choosing.value.until : undefined;
}

/** What a print-mode run's own events say of its end: a limit opens its account's breaker. */
async function atItsEnd({ files }: ResidentPorts, { profiles }: ResidentWorld, name: string, dir: string, exit: ExitRecord): Promise<AgentRecord | undefined> {
  const profile = profiles[name];
  if (profile?.headless === undefined || profile.headless.output === 'text') return undefined;
  const lines = readLines(profile.headless.rules, (await files.readBytes(join(dir, PROGRAM_FILES.stream), STREAM_BYTES)) ?? '', exit.endedAt);
  const stderr = Buffer.from((await files.readBytes(join(dir, RUN_FILES.stderr), STDERR_BYTES)) ?? []).toString('utf8');
  return { state: classifyHeadless(profile, { output: profile.headless.output, exit, lines, stderr, now: exit.endedAt }), since: exit.endedAt };
}
