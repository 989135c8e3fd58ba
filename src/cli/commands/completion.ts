import type { Command } from 'commander';
import { homedir } from 'node:os';
import { nodeFiles } from '../../lib/node-files.js';
import { show } from '../../lib/text.js';
import { unreachable } from '../../lib/unreachable.js';
import type { Layout } from '../../protocol/layout.js';
import { liveNames } from '../completion/names.js';
import { SCRIPTS, SHELLS } from '../completion/scripts.js';
import { wantedAt, type Candidate, type Place } from '../completion/wanted.js';
import { openContext, printRaw } from '../context.js';
import { CliError, EXIT } from '../exit.js';

/** More than that no person reads through. */
const MOST = 2000;

/** The script of a shell; with words, what may stand at the last of them, a line each. */
export async function completion(program: Command, shell: string, words: readonly string[]): Promise<void> {
  const known = SHELLS.find((one) => one === shell);
  if (known === undefined) throw new CliError(`there is no completion for ${show(shell)}; use ${SHELLS.join(', ')}`, EXIT.usage);
  if (words.length === 0) return printRaw(SCRIPTS[known].trimEnd());
  const place = wantedAt(program, known === 'bash' ? joinedAtEquals(words) : words);
  if (place.wanted.kind === 'files') return printRaw(':files');
  if (place.wanted.kind === 'directories') return printRaw(':dirs');
  const candidates = await candidatesOf(place);
  const lines = candidates.slice(0, MOST).map(({ value, about }) => `${known === 'bash' ? value : place.before + value}\t${oneLine(about)}`);
  if (lines.length > 0) printRaw(lines.join('\n'));
}

const oneLine = (about: string): string => show(about.split(/[;:]/)[0] ?? '', 100);

async function candidatesOf({ wanted, typed, dir }: Place): Promise<readonly Candidate[]> {
  switch (wanted.kind) {
    case 'files':
    case 'directories':
      return [];
    case 'words':
      return wanted.words.filter(({ value }) => value.startsWith(typed));
    case 'names':
      return (await namesOf(wanted.of, wanted.command, dir, wanted.taken)).filter(({ value }) => value.startsWith(typed) && !wanted.taken.includes(value));
    default:
      return unreachable(wanted);
  }
}

/** Without a pit there is nothing to name, and nothing to say: whoever presses a key is not told of errors. */
async function namesOf(of: string, command: string, dir: string | undefined, given: readonly string[]): Promise<Candidate[]> {
  let layout: Layout | undefined;
  try {
    ({ layout } = openContext(dir?.replace(/^~(?=\/|$)/, () => homedir())));
  } catch {
    // No pit here.
  }
  return liveNames(nodeFiles, layout, of, command, given);
}

/** bash takes `--by=ta` for three words, and replaces only the last of them. */
function joinedAtEquals(words: readonly string[]): string[] {
  const line: string[] = [];
  for (const [at, word] of words.entries()) {
    const last = line.at(-1) ?? '';
    const open = last.startsWith('--');
    if (open && ((word === '=' && !last.includes('=')) || (words[at - 1] === '=' && last.endsWith('=')))) line[line.length - 1] = `${last}${word}`;
    else line.push(word);
  }
  return line;
}
