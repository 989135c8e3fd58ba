import { spawn } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';
import { Transform } from 'node:stream';
import { show } from '../../lib/text.js';
import { exitOf } from '../exit.js';
import { fit } from '../terminal.js';
import type { Aside } from './act.js';
import type { Ui } from './state.js';

/** The shell's words for a command that it does not find. */
const NOT_FOUND = 127;

/** Does what needs the whole terminal, and comes back when that ends. The terminal is not ours meanwhile. */
export async function stepAside(dir: string, action: Aside): Promise<Ui['notice']> {
  try {
    if (action.kind === 'attach') {
      await (await import('../commands/attach.js')).attach(dir, action.name, {});
      return undefined;
    }
    return await page([process.argv[1] ?? '', '-C', dir, action.what, action.name]);
  } catch (cause) {
    return { text: show(exitOf(cause).line, 300), tone: 'bad' };
  }
}

/** A diff is printed byte for byte into a pipe; a pager may hand that on to the terminal. */
function harmless(): Transform {
  const decoder = new StringDecoder('utf8');
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => done(null, fit(decoder.write(chunk))),
    flush: (done) => done(null, fit(decoder.end())),
  });
}

/** What our own command line prints, through $PAGER. A pager that is left early ends the command by its broken pipe. */
function page(args: readonly string[]): Promise<Ui['notice']> {
  return new Promise((resolve) => {
    const said = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    // A shell, as git does it: PAGER may hold options. It is the person's own, and no text of a task is in it.
    const pager = spawn('/bin/sh', ['-c', process.env['PAGER'] ?? 'less'], { stdio: ['pipe', 'inherit', 'inherit'], env: { LESS: 'R', ...process.env } });
    let complaint = '';
    said.stderr.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-2000)));
    pager.stdin.on('error', () => said.kill());
    said.stdout.on('error', () => undefined);
    said.stdout.pipe(harmless()).pipe(pager.stdin);
    said.on('error', (cause) => (complaint = String(cause)));
    pager.on('error', (cause) => resolve({ text: show(String(cause), 300), tone: 'bad' }));
    pager.on('close', (code) => {
      said.kill();
      const text = complaint.trim().replace(/^snakepit: /, '');
      if (code === NOT_FOUND) resolve({ text: 'no pager was found; say which one in PAGER', tone: 'bad' });
      else resolve(text === '' ? undefined : { text: show(text, 300), tone: 'bad' });
    });
  });
}
