/*
 * An agent program that uses tokens as its task tells it, and writes the transcript that Claude Code would:
 *
 *     node spender.mjs <home> <prompt-file> --session-id|--resume <session>
 *
 * The prompt holds one line `SPEND: <json>`: {"attempts": [[turn, turn, …], …]}; the last attempt repeats. A turn is
 * {"id", "model", "in", "out", "read", "write"}: a message's figures, any left out are 0; {"wait": ms}; {"until": file}: waits for
 * that file; {"say": text}: to the output; {"exit": code}. A print-mode run ends with status 0 after its last turn.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [home, promptFile, , session] = process.argv.slice(2);
const { attempts } = JSON.parse(/^SPEND: (.*)$/m.exec(readFileSync(promptFile, 'utf8'))?.[1] ?? '{"attempts":[[]]}');
const attempt = Number(process.env.SNAKEPIT_ATTEMPT ?? '1');
const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
const dir = join(home, 'projects', 'work');
mkdirSync(dir, { recursive: true });
const write = (line) => appendFileSync(join(dir, `${session}.jsonl`), `${JSON.stringify({ sessionId: session, ...line })}\n`);

write({ type: 'user', message: { content: 'the task' } });
let number = 0;
for (const turn of attempts[Math.min(attempt, attempts.length) - 1]) {
  if (turn.wait !== undefined) await sleep(turn.wait);
  else if (turn.until !== undefined) while (!existsSync(turn.until)) await sleep(30);
  else if (turn.say !== undefined) process.stdout.write(`${turn.say}\n`);
  else if (turn.exit !== undefined) process.exit(turn.exit);
  else {
    const usage = { input_tokens: turn.in ?? 0, output_tokens: turn.out ?? 0, cache_read_input_tokens: turn.read ?? 0, cache_creation_input_tokens: turn.write ?? 0 };
    const id = turn.id ?? `msg-${attempt}-${(number += 1)}`;
    // One line a block, each with the figures of the whole message.
    for (const text of ['a', 'b']) write({ type: 'assistant', message: { id, model: turn.model ?? 'stub-1', content: [{ type: 'text', text }], usage } });
  }
}
