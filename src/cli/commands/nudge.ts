import { join } from 'node:path';
import type { Receipt } from '../../agents/deliver/state.js';
import { asFileRef } from '../../agents/deliver/text.js';
import type { AgentProfile } from '../../agents/profile.js';
import { parseDuration } from '../../lib/duration.js';
import { newNonce } from '../../lib/ids.js';
import { show } from '../../lib/text.js';
import { unreachable } from '../../lib/unreachable.js';
import { markerOf } from '../../protocol/names.js';
import type { AttemptRecord } from '../../protocol/records.js';
import { readAttempt } from '../../runs/run-dir.js';
import { currentRun } from '../../runs/steps.js';
import { TmuxServer } from '../../tmux/server.js';
import { speakTo } from '../../watchdog/speak.js';
import { openContext, print, printJson, publishedAgents, type Context } from '../context.js';
import { CliError, EXIT } from '../exit.js';
import { wordsOrInput } from '../input.js';
import { idleOrEnded } from './attach.js';
import { findResident } from '../residents.js';
import { findRunning } from './running.js';

/** Types one text into the running full-screen session of a task, and says what became of it. The session's name holds the claim's nonce: no other attempt can be hit. */
export async function nudge(dir: string | undefined, name: string, words: readonly string[], options: { json?: boolean; wait?: string }): Promise<void> {
  const context = openContext(dir);
  const { files, layout, clock, processes, events } = context;
  const patienceMs = parseDuration(options.wait ?? '20s');
  if (patienceMs === undefined) throw new CliError(`${show(options.wait ?? '')} is no duration; write 90s or 2m`, EXIT.usage);
  const text = await wordsOrInput(words);
  const { id, marker, session, runDir } = await listenerOf(context, name);
  const { attempt, profile, interactive } = await sessionOf(context, id, runDir);

  const path = join(runDir, `nudge-${newNonce()}.md`);
  const typed = asFileRef(text, path);
  if (typed.file !== undefined) await files.write(path, typed.file);
  const tmux = new TmuxServer(layout.tmuxSocket, layout.tmuxConfig);
  const receipt = await speakTo({ files, processes, clock, tmux }, { session, runDir, attempt, profile, interactive }, typed.line, { patienceMs });
  await events.emit({ kind: 'nudged', id, marker, receipt: receipt.kind, rule: receipt.rule, evidence: receipt.evidence });
  if (options.json === true) printJson({ id, session, attempt: attempt.attempt, typed: typed.line, file: typed.file === undefined ? undefined : path, receipt });
  else print(`${id}: ${receipt.kind}: ${receipt.rule}${receipt.evidence === '' ? '' : ` (${show(receipt.evidence)})`}`);
  process.exitCode = exitOf(receipt);
}

/** Whom the name means: a resident, or the task of that id or of that snake. */
async function listenerOf(context: Context, name: string): Promise<{ id: string; marker: string; session: string; runDir: string }> {
  const resident = await findResident(context, name);
  if (resident === undefined) {
    const claim = (await findRunning(context, name)) ?? (await idleOrEnded(context, name));
    const { session, dir } = await currentRun(context.files, context.layout, claim);
    return { id: claim.id, marker: markerOf(claim), session, runDir: dir };
  }
  if (resident.record.kind === 'service') throw new CliError(`${name} is a service: nobody there reads what is typed`, EXIT.usage);
  if (resident.run === undefined) throw new CliError(`the resident ${name} has no session now; see: snakepit status`, EXIT.notFound);
  return { id: name, marker: resident.run.marker, session: resident.run.session, runDir: resident.run.dir };
}

/** What is known of the session that is to be typed into; ends the command where that cannot be done at all. */
async function sessionOf(context: Context, id: string, runDir: string): Promise<{ attempt: AttemptRecord; profile: AgentProfile; interactive: NonNullable<AgentProfile['interactive']> }> {
  const attempt = await readAttempt(context.files, runDir);
  if (attempt === undefined) throw new CliError(`${id} has no session yet; try again in a moment`, EXIT.busy);
  if (attempt.mode === 'headless') throw new CliError(attempt.resident === true ? `${id} runs in print mode, where nothing can be typed; give the resident mode: interactive` : `${id} runs in print mode, where nothing can be typed; put \`mode: interactive\` into the task, or cancel it and say it in the task: snakepit cancel ${id}`, EXIT.usage);
  const profile = (await publishedAgents(context))[attempt.profile];
  if (profile?.interactive === undefined) throw new CliError(`the profile ${attempt.profile} has no interactive mode any more; see: snakepit agents show ${attempt.profile}`, EXIT.config);
  return { attempt, profile, interactive: profile.interactive };
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
