import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { show, showLines } from '../lib/text.js';
import type { Profiles } from './choice.js';
import { LineReader } from './lines.js';

/*
 * Shows a print-mode session in its pane, readable, while its raw lines go to a file: what it says, and each change of its
 * state. Runs beside the agent; whatever happens to it, the agent and the record do not notice.
 */

const POLL_MS = 200;
const CHUNK = 256 * 1024;

/** What has been added to a file since the last call. */
function follow(path: string): () => Buffer {
  let at = 0;
  const chunk = Buffer.alloc(CHUNK);
  return () => {
    if (!existsSync(path)) return Buffer.alloc(0);
    const fd = openSync(path, 'r');
    try {
      const count = readSync(fd, chunk, 0, CHUNK, at);
      at += count;
      return Buffer.from(chunk.subarray(0, count));
    } finally {
      closeSync(fd);
    }
  };
}

async function main(profilesFile: string, name: string, stream: string, errors: string): Promise<void> {
  const profile = (JSON.parse(readFileSync(profilesFile, 'utf8')) as Profiles)[name];
  const reader = new LineReader(profile?.headless?.rules ?? []);
  const [out, err] = [follow(stream), follow(errors)];
  let told = { answer: '', state: '' };
  let ending = false;
  process.on('SIGTERM', () => {
    ending = true;
  });
  for (;;) {
    const last = ending;
    for (let part = out(); part.length > 0; part = out()) {
      for (const line of part.toString('utf8').split(/(?<=\n)/)) {
        const facts = reader.push(line, Date.now()).facts();
        const state = facts.last === undefined ? '' : `${facts.last.kind}: ${facts.last.evidence}`;
        const answer = facts.answer ?? '';
        if (answer !== told.answer) process.stdout.write(answer.startsWith(told.answer) && told.answer !== '' ? showLines(answer.slice(told.answer.length)) : `\n${showLines(answer)}`);
        if (state !== told.state && state !== '') process.stdout.write(`\n· ${show(state)}\n`);
        told = { answer, state };
      }
    }
    for (let part = err(); part.length > 0; part = err()) process.stdout.write(showLines(part.toString('utf8')));
    if (last) return;
    await delay(POLL_MS);
  }
}

const [profilesFile, name, stream, errors] = process.argv.slice(2);
if (profilesFile !== undefined && name !== undefined && stream !== undefined && errors !== undefined) await main(profilesFile, name, stream, errors);
