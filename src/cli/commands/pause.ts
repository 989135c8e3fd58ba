import { openContext, print } from '../context.js';

export async function pause(dir: string | undefined): Promise<void> {
  const { files, layout, events } = openContext(dir);
  if (await files.exists(layout.paused)) return print('it is paused already; go on with: snakepit resume');
  await files.write(layout.paused, 'While this file exists nothing is claimed. Remove it, or: snakepit resume\n');
  await events.emit({ kind: 'queue-paused' });
  print('paused: nothing more is claimed, what runs goes on; go on with: snakepit resume');
}

export async function resume(dir: string | undefined): Promise<void> {
  const { files, layout, events } = openContext(dir);
  if ((await files.remove(layout.paused)) === 'missing') return print('it was not paused');
  await events.emit({ kind: 'queue-resumed' });
  print('resumed');
}
