import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/*
 * The second call site is where holes are made: who starts a process, and how, is a list that is compared whole. A new entry is
 * made here by hand, by somebody who has looked at what reaches its arguments.
 */

const SRC = fileURLToPath(new URL('../../src', import.meta.url));
const SOURCES = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts')).sort();

/** Comments aside: they may speak of what must not be done. */
const strip = (text: string): string => text.replace(/\/\*[^]*?\*\//g, '').replace(/(^|[^:'"`])\/\/.*$/gm, '$1');
const filesWith = (pattern: RegExp, sources: ReadonlyMap<string, string> = code()): string[] => [...sources].filter(([, text]) => pattern.test(text)).map(([file]) => file);

let read: Map<string, string> | undefined;
function code(): ReadonlyMap<string, string> {
  read ??= new Map(SOURCES.map((file) => [relative(SRC, join(SRC, file)), strip(readFileSync(join(SRC, file), 'utf8'))]));
  return read;
}

/** What would let a shell, or an interpreter, read text. */
const SHELLS: readonly (readonly [string, RegExp])[] = [
  ['exec(), execSync()', /(?<![.\w])exec(?:Sync)?\s*\(|child_process['"]\)?\.exec|\bexec(?:Sync)?\s*[,}].*from 'node:child_process'/],
  ['shell: true', /\bshell\s*:\s*(?:true|['"`]\/|process)/],
  ['execaCommand, $`…`', /execaCommand|\bexecaSync|(?:await|=|\(|return)\s*\$`/],
  ['eval, new Function', /(?<![.\w])eval\s*\(|new Function\s*\(/],
  ['gray-matter', /gray-matter/],
];

/** Who imports what starts processes; the functions they take from it. */
const SPAWNERS: Readonly<Record<string, string>> = {
  'agents/trial.ts': 'spawn',
  'cli/commands/attach.ts': 'spawnSync',
  'cli/commands/up.ts': 'spawn',
  'cli/top/aside.ts': 'spawn',
  'lib/run.ts': 'execa',
  'pit/apply.ts': 'spawn',
  'snake/verify.ts': 'spawn',
  'tmux/server.ts': 'spawn',
};

/** The only argument vectors that name a shell: each text they run is a constant of ours, a command that the task's owner wrote to be run, or a person's own PAGER. */
const SHELL_ARGV: readonly string[] = ['agents/tokens.ts', 'cli/top/aside.ts', 'residents/start.ts', 'snake/apply.ts', 'snake/verify.ts'];

describe('no shell stands between a text and a process', () => {
  it.each(SHELLS)('nobody uses %s', (_what, pattern) => expect(filesWith(pattern)).toEqual([]));

  it('few files start processes, and these take an argument vector', () => {
    const found = Object.fromEntries([...code()].flatMap(([file, text]) => {
      const names = /import \{ ([^}]*) \} from 'node:child_process'/.exec(text)?.[1]?.split(', ').filter((name) => !name.startsWith('type '));
      const execa = /import\('execa'\)/.test(text) ? ['execa'] : [];
      const all = [...(names ?? []), ...execa];
      return all.length === 0 ? [] : [[file, all.join(' ')]];
    }));
    expect(found).toEqual(SPAWNERS);
    expect(filesWith(/node:child_process|(?<!type .*)from 'execa'/)).toEqual(Object.keys(SPAWNERS).filter((file) => file !== 'lib/run.ts'));
  });

  it('shells are named by few', () => {
    expect(filesWith(/\[\s*'(?:\/bin\/)?(?:ba|da|z)?sh'(?!, '(?:bash'\]|zsh'))|spawn\(\s*'(?:\/bin\/)?(?:ba|da|z)?sh'/)).toEqual(SHELL_ARGV);
  });

  it('code is run in a context of its own only to stop patterns that take too long, and its text is constant', () => {
    expect(filesWith(/'node:vm'/)).toEqual(['lib/bounded-regex.ts']);
    expect(code().get('lib/bounded-regex.ts')?.match(/new vm\.Script\(.*\)/g)).toEqual(["new vm.Script('new RegExp(pattern, \"u\").exec(text)')"]);
  });

  it('only src/tmux runs tmux: others ask for its version, or attach with an argument vector that it made', () => {
    expect(filesWith(/[[(]\s*'tmux'/)).toEqual(['cli/commands/version.ts', 'cli/machine-checks.ts', 'tmux/server.ts']);
    for (const file of ['cli/commands/version.ts', 'cli/machine-checks.ts']) expect(code().get(file)?.match(/\[\s*'tmux'[^\]]*\]/g)).toEqual(["['tmux', '-V']"]);
  });

  it('only src/git runs git', () => {
    expect(filesWith(/[[(]\s*'git'/)).toEqual(['git/run.ts']);
  });
});

describe('the gate can fail', () => {
  const planted = (text: string): ReadonlyMap<string, string> => new Map([['planted.ts', strip(text)]]);
  it.each([
    ['exec(), execSync()', "import { exec } from 'node:child_process';\nexec(`tmux kill-session -t ${name}`);"],
    ['exec(), execSync()', 'execSync("ls " + file)'],
    ['shell: true', "spawn('npm', args, { cwd, shell: true })"],
    ['execaCommand, $`…`', 'await $`rm ${file}`'],
    ['eval, new Function', 'eval(text)'],
  ])('%s is seen in %s', (what, text) => {
    const pattern = SHELLS.find(([name]) => name === what)?.[1] ?? /$^/;
    expect(filesWith(pattern, planted(text))).toEqual(['planted.ts']);
  });
  it('a pattern\'s exec is none', () => {
    for (const [, pattern] of SHELLS) expect(filesWith(pattern, planted("const found = /a/.exec(text); // exec('rm')"))).toEqual([]);
  });
});
