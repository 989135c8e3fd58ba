import { join } from 'node:path';
import { deliver } from '../../agents/deliver/deliver.js';
import { paneLock } from '../../agents/deliver/lock.js';
import { linesProof, type RecordSource } from '../../agents/deliver/records.js';
import type { Receipt } from '../../agents/deliver/state.js';
import { targetOf } from '../../agents/deliver/target.js';
import { asFileRef } from '../../agents/deliver/text.js';
import type { Profiles } from '../../agents/choice.js';
import { filesAt } from '../../agents/glob.js';
import type { AgentProfile } from '../../agents/profile.js';
import { PROGRAM_FILES } from '../../agents/program.js';
import { classifyScreen } from '../../agents/screen.js';
import { parseDuration } from '../../lib/duration.js';
import { newNonce } from '../../lib/ids.js';
import { show } from '../../lib/text.js';
import { unreachable } from '../../lib/unreachable.js';
import { markerOf, type ClaimName } from '../../protocol/names.js';
import { parseJson, RUN_FILES, type AttemptRecord } from '../../protocol/records.js';
import { readAttempt, runDirOf } from '../../runs/run-dir.js';
import { TmuxServer } from '../../tmux/server.js';
import { openContext, print, printJson, readAgents, readConfig, type Context } from '../context.js';
import { CliError, EXIT } from '../exit.js';
import { readInput } from './add.js';
import { idleOrEnded } from './attach.js';
import { findRunning } from './running.js';

/** A session of this age may still be painting its first screen. */
const FRESH_MS = 30_000;

/** Types one text into the running full-screen session of a task, and says what became of it. The session's name holds the claim's nonce: no other attempt can be hit. */
export async function nudge(dir: string | undefined, name: string, words: readonly string[], options: { json?: boolean; wait?: string }): Promise<void> {
  const context = openContext(dir);
  const { files, layout, clock, processes, events } = context;
  const patienceMs = parseDuration(options.wait ?? '20s');
  if (patienceMs === undefined) throw new CliError(`${show(options.wait ?? '')} is no duration; write 90s or 2m`, EXIT.usage);
  const text = words.length === 1 && words[0] === '-' ? Buffer.from(await readInput('-')).toString('utf8') : words.join(' ');
  const claim = (await findRunning(context, name)) ?? (await idleOrEnded(context, name));
  const runDir = runDirOf(layout, claim);
  const { attempt, profile, interactive } = await sessionOf(context, claim, runDir);

  const pane = new TmuxServer(layout.tmuxSocket, layout.tmuxConfig).pane(`sp-${claim.nonce}`);
  const path = join(runDir, `nudge-${newNonce()}.md`);
  const typed = asFileRef(text, path);
  if (typed.file !== undefined) await files.write(path, typed.file);
  const receipt = (await ending(context, runDir)) ?? (await deliver(
    {
      clock, pane,
      look: (capture) => classifyScreen(interactive.screen, interactive.dialogs, { ...capture, nowMs: clock.wallMs() }),
      proof: linesProof(files, clock, sourcesOf(context, profile, attempt, runDir)),
      lock: paneLock(files, processes, join(runDir, RUN_FILES.typing)),
    },
    targetOf(interactive, { patienceMs, fresh: clock.wallMs() - attempt.startedAt < FRESH_MS }),
    typed.line,
  ));
  await events.emit({ kind: 'nudged', id: claim.id, marker: markerOf(claim), receipt: receipt.kind, rule: receipt.rule, evidence: receipt.evidence });
  if (options.json === true) printJson({ id: claim.id, session: `sp-${claim.nonce}`, attempt: attempt.attempt, typed: typed.line, file: typed.file === undefined ? undefined : path, receipt });
  else print(`${claim.id}: ${receipt.kind}: ${receipt.rule}${receipt.evidence === '' ? '' : ` (${show(receipt.evidence)})`}`);
  process.exitCode = exitOf(receipt);
}

/** What is known of the session that is to be typed into; ends the command where that cannot be done at all. */
async function sessionOf(context: Context, claim: ClaimName, runDir: string): Promise<{ attempt: AttemptRecord; profile: AgentProfile; interactive: NonNullable<AgentProfile['interactive']> }> {
  const { files, layout } = context;
  const attempt = await readAttempt(files, runDir);
  if (attempt === undefined) throw new CliError(`${claim.id} has no session yet; try again in a moment`, EXIT.busy);
  if (attempt.mode === 'headless') throw new CliError(`${claim.id} runs in print mode, where nothing can be typed; put \`mode: interactive\` into the task, or cancel it and say it in the task: snakepit cancel ${claim.id}`, EXIT.usage);
  // As the pit published them; a configuration that is being edited concerns sessions to come.
  const profiles = parseJson<Profiles>(await files.read(layout.agents)) ?? (await readAgents(context, await readConfig(context)));
  const profile = profiles[attempt.profile];
  if (profile?.interactive === undefined) throw new CliError(`the profile ${attempt.profile} has no interactive mode any more; see: snakepit agents show ${attempt.profile}`, EXIT.config);
  return { attempt, profile, interactive: profile.interactive };
}

/** A session that has said how it ended, or is being ended, would take the text with it. */
async function ending({ files }: Context, runDir: string): Promise<Receipt | undefined> {
  const there = async (file: string): Promise<boolean> => files.exists(join(runDir, file));
  const what = (await there(RUN_FILES.stop)) || (await there(RUN_FILES.exit)) ? 'it is being ended' : (await there(RUN_FILES.cancel)) ? 'it is cancelled' : (await there(RUN_FILES.result)) ? 'it has said how it ended' : undefined;
  return what === undefined ? undefined : { kind: 'refused', reason: 'ended', rule: what, evidence: '' };
}

/** Where the program writes down what it was asked: its hooks' events, its transcript. */
function sourcesOf({ files }: Context, profile: AgentProfile, attempt: AttemptRecord, runDir: string): RecordSource[] {
  const { hooks, transcript } = profile;
  return [
    ...(hooks === undefined ? [] : [{ source: 'event' as const, rules: hooks.rules, files: async () => [join(runDir, PROGRAM_FILES.events)] }]),
    ...(transcript?.kind === 'jsonl' ? [{ source: 'transcript' as const, rules: transcript.rules, files: () => filesAt(files, attempt.home, transcript.glob.replaceAll('{session}', attempt.session)) }] : []),
  ];
}

function exitOf(receipt: Receipt): number {
  switch (receipt.kind) {
    case 'submitted':
    case 'queued':
      return EXIT.ok;
    case 'refused':
      return EXIT.busy;
    case 'unconfirmed':
      return EXIT.unavailable;
    default:
      return unreachable(receipt);
  }
}
