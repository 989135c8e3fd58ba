import { bellFile } from '../../pings/outbox.js';
import type { Context } from '../context.js';

/** The pit's bell, as a hook with bell: rings it: whether it has rung since the last look. */
export class Bell {
  private readonly context: Pick<Context, 'files' | 'layout'>;
  private last: number | undefined;
  private looked = false;

  constructor(context: Pick<Context, 'files' | 'layout'>) {
    this.context = context;
  }

  /** What rang before the first look is past. */
  async rang(): Promise<boolean> {
    const { files, layout } = this.context;
    const at = await files.mtimeMs(bellFile(layout));
    const rang = this.looked && at !== undefined && at !== this.last;
    this.last = at;
    this.looked = true;
    return rang;
  }
}
