import { join } from 'node:path';
import type { EventSink } from '../events/event-log.js';
import type { Files } from '../lib/files.js';
import { newNonce } from '../lib/ids.js';
import { show } from '../lib/text.js';
import type { TaskFault } from '../protocol/front-matter.js';
import type { Layout } from '../protocol/layout.js';
import { idFromFileName } from '../protocol/task-id.js';

/*
 * What could not be taken in lies in failed/ under a name that is nobody's id, its reason beside it:
 *
 *   <id>.refused-<nonce>.md           byte for byte as it was dropped (.special: a link, a FIFO, a socket)
 *   <id>.refused-<nonce>.result.md    which file, which line, what is wrong, what to do
 *
 * It counts as refused while the first of the two is there; whoever mends it moves it away.
 */

const KEPT = /^(.+\.refused-[0-9a-z]{10})\.(md|special)$/;

/** A dropped file that was not taken in and has not been mended yet. */
export interface Refusal {
  /** The name it was dropped under, fit for a terminal. */
  readonly file: string;
  /** The id that it would have got. */
  readonly id: string;
  readonly line: number;
  readonly problem: string;
  readonly fix: string;
  /** Both below failed/. */
  readonly kept: string;
  readonly story: string;
  /** Wall clock of the refusal, milliseconds. */
  readonly at: number;
}

/** Moves what cannot be taken in to failed/ and says why. The reason first: whoever sees the file can read it. The caller holds the intake lock. */
export async function refuse(ports: { readonly files: Files; readonly events: EventSink }, layout: Layout, dir: string, fileName: Buffer, id: string, fault: TaskFault, special = false): Promise<void> {
  const { files, events } = ports;
  const stem = `${idFromFileName(fileName)}.refused-${newNonce()}`;
  const kept = `${stem}.${special ? 'special' : 'md'}`;
  const story = join(layout.dir('failed'), `${stem}.result.md`);
  const original = show(fileName.toString('utf8').replace(/\.refused-[0-9a-z]{10}(?=\.md$)/, ''));
  await files.write(
    story,
    [
      `# Not taken in: ${original}`,
      '',
      `- **where**: ${original}, line ${fault.line}`,
      `- **id**: ${id}`,
      `- **problem**: ${fault.problem}`,
      `- **what to do**: ${fault.fix}; ${special ? `it lies beside this as \`${kept}\`` : `then \`mv ${kept} ../\``}`,
      '',
      'The file lies beside this one, byte for byte as it was dropped.',
      '',
    ].join('\n'),
  );
  if ((await files.rename(Buffer.concat([Buffer.from(`${dir}/`), fileName]), join(layout.dir('failed'), kept))) === 'missing') {
    await files.remove(story);
    return;
  }
  await events.emit({ kind: 'task-refused', file: original, line: fault.line, problem: fault.problem, fix: fault.fix });
}

/** Every refused file that nobody has mended, oldest first. With a memory, by kept name, each reason is read once. */
export async function listRefusals(files: Files, layout: Layout, memory: Map<string, Refusal> = new Map()): Promise<Refusal[]> {
  const found: Refusal[] = [];
  for (const kept of await files.list(layout.dir('failed'))) {
    const stem = KEPT.exec(kept)?.[1];
    if (stem === undefined) continue;
    const known = memory.get(kept);
    if (known !== undefined) {
      found.push(known);
      continue;
    }
    const story = `${stem}.result.md`;
    const text = (await files.read(join(layout.dir('failed'), story))) ?? '';
    const at = await files.mtimeMs(join(layout.dir('failed'), story));
    const entry = (key: string): string | undefined => new RegExp(`^- \\*\\*${key}\\*\\*: (.*)$`, 'm').exec(text)?.[1];
    const name = stem.replace(/\.refused-[0-9a-z]{10}$/, '');
    const one: Refusal = {
      file: /^# Not taken in: (.*)$/m.exec(text)?.[1] ?? `${name}.md`,
      id: entry('id') ?? name,
      line: Number(/, line (\d+)$/.exec(entry('where') ?? '')?.[1] ?? 1),
      problem: entry('problem') ?? 'its reason is lost; see .snakepit/log/events.jsonl',
      fix: (entry('what to do') ?? '').replace(/; (then `mv |it lies beside )[^;]*$/, ''),
      kept,
      story,
      at: at ?? 0,
    };
    memory.set(kept, one);
    found.push(one);
  }
  return found.sort((a, b) => a.at - b.at);
}

/** How many there are: their names alone, for what is looked at each second. */
export async function countRefusals(files: Files, layout: Layout): Promise<number> {
  return (await files.list(layout.dir('failed'))).filter((name) => KEPT.test(name)).length;
}

/** The newest refusal that a person means by an id, by a dropped file's name, or by the name it is kept under. */
export function refusalOf(refusals: readonly Refusal[], name: string): Refusal | undefined {
  return refusals.findLast((one) => one.id === name || one.file === name || one.file === `${name}.md` || one.kept === name || one.kept === `${name}.md`);
}
