import { ensureLayout } from '../../queue/init.js';
import { openContext, print } from '../context.js';

export async function init(dir: string | undefined): Promise<void> {
  const { files, layout } = openContext(dir, { create: true });
  await ensureLayout(files, layout);
  if (!(await files.exists(layout.configFile))) {
    const { commentedConfig } = await import('../../config/load.js');
    await files.write(layout.configFile, commentedConfig());
  }
  if (!(await files.exists(`${layout.queue}/.gitkeep`))) await files.write(`${layout.queue}/.gitkeep`, '');
  print(`a pit is ready in ${layout.root}`);
  print('next: drop markdown files into queue/ (or: snakepit add FILE), then: snakepit up -n 4');
}
