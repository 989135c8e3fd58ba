import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { QUICK, type Pit, type PitOptions } from './pit.js';

const TUI = fileURLToPath(new URL('./fake-tui.mjs', import.meta.url));

/** One menu of fake-tui.mjs. */
export interface Menu {
  readonly ask: string;
  readonly rows: readonly string[];
  readonly at?: number;
  readonly keys?: Readonly<Record<string, number>>;
  readonly stubborn?: boolean;
  readonly frozen?: boolean;
  readonly done?: boolean;
}

/** What a run of fake-tui.mjs wrote down about its start. */
export interface Started {
  readonly argv: readonly string[];
  readonly answer: string;
  readonly workspace: string;
  readonly prompt: string;
}

/** A pit whose agent is fake-tui.mjs, a full-screen program that asks; its files lie in `dir`, outside the pit's own. */
export function askingPit(dir: string, more: { readonly lines?: readonly string[]; readonly profile?: Readonly<Record<string, unknown>>; readonly answer?: object | null } = {}): PitOptions {
  const answer = more.answer === null ? {} : { answer: more.answer ?? { label: '\\d\\. Yes, go on', cursor: '^❯' } };
  const fake = {
    binary: process.execPath,
    account: 'fake',
    mode: 'interactive',
    env: { FAKE_HOME: '{home}' },
    interactive: {
      argv: [process.execPath, TUI, dir, { if: 'fresh', args: ['--session-id', '{session}'] }, { if: 'resume', args: ['--resume', '{session}'] }, '{prompt}'],
      prompt: 'argv',
      screen: {
        box: { top: '^─{20,}', first: '^> ?(?<draft>.*)$', more: '^ {1,2}(?<draft>.*)?$', bottom: '^─{20,}' },
        rules: [{ id: 'working', in: 'status', pattern: '^\\* Working…', state: 'working' }],
      },
      dialogs: [
        { id: 'login', kind: 'login', pattern: '▲ Log in' },
        { id: 'menu', kind: 'permission', pattern: '▲ ', ...answer },
      ],
    },
    ...more.profile,
  };
  return { config: [...QUICK, 'agent: fake', ...(more.lines ?? []), `agents: ${JSON.stringify({ fake })}`] };
}

export function how(dir: string, ways: object): void {
  fs.writeFileSync(join(dir, 'how.tmp'), JSON.stringify(ways));
  fs.renameSync(join(dir, 'how.tmp'), join(dir, 'how.json'));
}

export function told<T>(dir: string, name: 'started' | 'chosen' | 'eaten' | 'submitted'): T[] {
  const file = join(dir, `${name}.jsonl`);
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as T) : [];
}

/** The text of a file below needs/, by the end of its name. */
export function needsFile(pit: Pit, ending: string): string {
  const name = fs.readdirSync(pit.layout.dir('needs')).find((one) => one.endsWith(ending));
  return name === undefined ? '' : fs.readFileSync(join(pit.layout.dir('needs'), name), 'utf8');
}
