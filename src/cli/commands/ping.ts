import { parseDuration } from '../../lib/duration.js';
import { newNonce } from '../../lib/ids.js';
import { show } from '../../lib/text.js';
import { unreachable } from '../../lib/unreachable.js';
import { outletOf, type Target } from '../../pings/outlet.js';
import type { PingReceipt } from '../../pings/state.js';
import { TmuxServer } from '../../tmux/server.js';
import { openContext, print, printJson, publishedAgents, type Context } from '../context.js';
import { CliError, EXIT } from '../exit.js';
import { find } from '../find.js';
import { findResident } from '../residents.js';
import { readInput, wordsOrInput } from '../input.js';
import { idleOrEnded } from './attach.js';
import { checkSnake, isSnakeName } from './running.js';

/** What stands for a rule's name in events of pings that somebody said by hand. */
const BY_HAND = 'by hand';

export interface PingOptions {
  readonly json?: boolean;
  readonly wait?: string;
  readonly file?: string;
}

/**
 * `after`: how many of the words stood behind `--`; undefined without one. With it, these are the message and the others are names;
 * without it the last word is the message; with --file all are names.
 */
export function splitWords(words: readonly string[], after: number | undefined, hasFile: boolean): { names: readonly string[]; message: string | undefined } {
  if (hasFile) return { names: words, message: undefined };
  const cut = words.length - (after ?? 1);
  return { names: words.slice(0, cut), message: words.slice(cut).join(' ') };
}

/** Says one message to several at once, and what became of it at each. Nobody is told anything while a name is wrong. */
export async function ping(dir: string | undefined, words: readonly string[], after: number | undefined, options: PingOptions): Promise<void> {
  const context = openContext(dir);
  const { layout, events } = context;
  const patienceMs = parseDuration(options.wait ?? '20s');
  if (patienceMs === undefined) throw new CliError(`${show(options.wait ?? '')} is no duration; write 90s or 2m`, EXIT.usage);
  const { names, message } = splitWords(words, after, options.file !== undefined);
  if (names.length === 0) throw new CliError('whom? snakepit ping NAME... MESSAGE: names first, the message last, in quotes or after --', EXIT.usage);
  const text = options.file !== undefined ? Buffer.from(await readInput(options.file)).toString('utf8') : await wordsOrInput(message === undefined ? [] : [message]);
  if (text.trim() === '') throw new CliError('there is nothing to say: the message is empty', EXIT.usage);
  const outlet = outletOf({ ...context, tmux: new TmuxServer(layout.tmuxSocket, layout.tmuxConfig) }, layout, await publishedAgents(context));
  const targets: { name: string; target: Target }[] = [];
  for (const name of new Set(names)) targets.push({ name, target: await known(context, name, await outlet.find(name), (id) => outlet.find(id)) });
  const receipts = await Promise.all(
    targets.map(async ({ name, target }) => {
      const id = newNonce();
      if (target.kind !== 'ready') return { name, kind: target.kind, receipt: { kind: 'refused' as const, rule: target.why, evidence: '' } };
      await events.emit({ kind: 'ping-queued', ping: id, from: BY_HAND, to: name, text, why: BY_HAND });
      const receipt = await target.say({ id, text, guarded: false }, patienceMs);
      await events.emit({ kind: 'ping-delivered', ping: id, from: BY_HAND, to: name, receipt: receipt.kind, rule: receipt.rule, evidence: receipt.evidence });
      return { name, kind: target.kind, receipt };
    }),
  );
  if (options.json === true) printJson({ pings: receipts.map(({ name, receipt }) => ({ to: name, receipt })) });
  else for (const { name, receipt } of receipts) print(`${name}: ${receipt.kind}: ${receipt.rule}${receipt.evidence === '' ? '' : ` (${show(receipt.evidence)})`}`);
  process.exitCode = worst(receipts.map(({ kind, receipt }) => exitOf(kind, receipt)));
}

/** A name that nobody bears ends the command; one that rests is refused like a busy one, but where it is the only one, with its reason. */
async function known(context: Context, name: string, target: Target, again: (id: string) => Promise<Target>): Promise<Target> {
  if (target.kind !== 'absent') return target;
  if (isSnakeName(name)) {
    await checkSnake(context, name);
    return target;
  }
  if ((await findResident(context, name)) !== undefined) return target;
  const found = await find(context, name);
  // As a dropped file it may have another name than its task.
  if (found.kind === 'task') return found.task.id === name ? target : again(found.task.id);
  await idleOrEnded(context, name);
  return target;
}

function exitOf(kind: Target['kind'], receipt: PingReceipt): number {
  switch (receipt.kind) {
    case 'submitted':
    case 'queued':
    case 'told':
      return EXIT.ok;
    case 'refused':
      return kind === 'deaf' ? EXIT.usage : kind === 'absent' ? EXIT.notFound : EXIT.busy;
    case 'unconfirmed':
      return EXIT.unavailable;
    default:
      return unreachable(receipt.kind);
  }
}

/** Of several, the one that asks most of the caller: look in, ask again, mend the call. */
const worst = (codes: readonly number[]): number => [EXIT.unavailable, EXIT.busy, EXIT.usage, EXIT.notFound].find((code) => codes.includes(code)) ?? EXIT.ok;
