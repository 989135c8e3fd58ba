import { dirname, join } from 'node:path';
import { existsSync } from 'node:fs';
import { appendLine } from '../../lib/append-line.js';
import { ensureLayout } from '../../queue/init.js';
import { checkGround, openContext, print, type Context } from '../context.js';

const IGNORED = '.snakepit/';

export async function init(dir: string | undefined): Promise<void> {
  const context = openContext(dir, { create: true });
  const { files, layout } = context;
  checkGround(context);
  await ensureLayout(files, layout);
  if (!(await files.exists(layout.configFile))) {
    const { commentedConfig } = await import('../../config/load.js');
    await files.write(layout.configFile, commentedConfig());
  }
  if (!(await files.exists(`${layout.queue}/.gitkeep`))) await files.write(`${layout.queue}/.gitkeep`, '');
  const ignored = await ignoreState(context);
  print(`a pit is ready in ${layout.root}`);
  if (ignored) print(`${IGNORED} is in .gitignore now`);
  print('next: drop markdown files into queue/ (or: snakepit add FILE), then: snakepit up -n 4');
}

/** Inside a git repository our own state is nobody's business to commit; a line that a person commented out stays so. */
async function ignoreState({ files, layout }: Context): Promise<boolean> {
  if (!insideGit(layout.root)) return false;
  const file = join(layout.root, '.gitignore');
  if ((await files.inspect(file))?.kind === 'link') return false;
  const text = (await files.read(file)) ?? '';
  if (text.split('\n').some((line) => /^#?\s*\/?\.snakepit\/?\s*$/.test(line))) return false;
  await appendLine(files, file, IGNORED);
  return true;
}

function insideGit(root: string): boolean {
  for (let at = root; ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) return true;
    if (dirname(at) === at) return false;
  }
}
