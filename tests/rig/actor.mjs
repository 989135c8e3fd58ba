/*
 * A full-screen agent program that plays what its task tells it, for tests of the watchdog:
 *
 *     node actor.mjs <prompt-file>
 *
 * The prompt holds one line `ACTOR: <json>`: {"attempts": [[turn, turn, …], …]}; the last attempt, and its last turn, repeat.
 * A turn is a list of steps; a text that is submitted begins the next turn. It tells of itself as a hook would, in the file that
 * SNAKEPIT_EVENTS names. Steps:
 *   {"work": ms}      at work, with an event every 100 ms        {"silent": true}  at work for ever, without a sign but its spinner
 *   {"mute": true}    never paints, never tells                  {"flood": true}   prints for ever, and tells nothing
 *   {"say": "text"}   an entry on the screen and the answer      {"run": "sh …"}   a tool call; open while it runs
 *   {"done": "text"}  snakepit done                              {"dialog": "text", "label": "Yes"}  asks until the label is chosen
 *   {"retry": true}   retries for ever                           {"limit": s}      a usage limit that ends in so many seconds
 *   {"auth": true}    a refused key                              {"context": true} a full context
 *   {"crash": code}   ends                                       {"die": true}     kill -9 of itself
 *   {"stop": true}    stops itself (SIGSTOP)                     {"child": true}   leaves a child in a session of its own
 */
import { execFile, spawn } from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';

const prompt = readFileSync(process.argv[2], 'utf8');
const { attempts } = JSON.parse(/^ACTOR: (.*)$/m.exec(prompt)?.[1] ?? '{"attempts":[[[]]]}');
const attempt = Number(process.env.SNAKEPIT_ATTEMPT ?? '1');
const turns = attempts[Math.min(attempt, attempts.length) - 1];
const tell = (event, more = {}) => appendFileSync(process.env.SNAKEPIT_EVENTS, `${JSON.stringify({ at: Date.now(), event, ...more })}\n`);
const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
const never = () => new Promise(() => { setInterval(() => undefined, 1000); });

let [entries, status, composer, dialog, turn, busy, muted] = [[], '', '', undefined, 0, false, false];
const queue = [];

function paint() {
  if (muted) return;
  const columns = process.stdout.columns || 80;
  const lines = entries.slice(-8).flatMap((text) => [text, '']);
  const typed = composer.split('\n').flatMap((line) => line.match(new RegExp(`.{1,${columns - 3}}`, 'gu')) ?? ['']).slice(-8);
  const box = ['─'.repeat(columns), ...typed.map((row, at) => `${at === 0 ? '>' : ' '} ${row}`), '─'.repeat(columns), '  ? for help'];
  const asked = dialog === undefined ? [] : [`▲ ${dialog.text}`, ...dialog.rows.map((row, at) => `${at === dialog.at ? '❯' : ' '} ${at + 1}. ${row}`)];
  const rows = [...lines, ...(dialog === undefined ? [...(status === '' ? [] : [status, '']), ...box] : asked)];
  process.stdout.write(`\x1b[?2026h\x1b[H\x1b[2J${rows.join('\r\n')}\x1b[?2026l`);
}

async function tool(command) {
  const id = `t${Date.now()}`;
  tell('tool-begins', { id });
  await new Promise((resolve) => { execFile('/bin/sh', ['-c', command], () => resolve()); });
  tell('tool-ends', { id });
}

async function play(steps) {
  busy = true;
  status = '* Working… (esc to interrupt)';
  tell('works');
  paint();
  let answer = '';
  for (const step of steps) {
    if (step.work !== undefined) for (const until = Date.now() + step.work; Date.now() < until; await sleep(100)) tell('works');
    if (step.say !== undefined) { answer = step.say; entries.push(`● ${step.say}`); }
    if (step.run !== undefined) await tool(step.run);
    if (step.done !== undefined) await tool(`"$SNAKEPIT_COMMAND" done '${step.done}'`);
    if (step.child !== undefined) spawn('/bin/sh', ['-c', 'while :; do sleep 1; done'], { detached: true, stdio: 'ignore' }).unref();
    if (step.dialog !== undefined) await ask(step);
    if (step.mute !== undefined) { muted = true; await never(); }
    if (step.silent !== undefined) { setInterval(() => { status = `* Working… ${Date.now() % 10} (esc to interrupt)`; paint(); }, 100); await never(); }
    if (step.flood !== undefined) { setInterval(() => process.stdout.write(`${'flood '.repeat(200)}\r\n`), 5); await never(); }
    if (step.retry !== undefined) { status = '* Retrying… (esc to interrupt)'; tell('retries'); paint(); await never(); }
    if (step.limit !== undefined) return over('limit', { reset: Math.round(Date.now() / 1000 + step.limit) }, 'You have hit your limit.');
    if (step.auth !== undefined) return over('auth', {}, 'Your key was refused.');
    if (step.context !== undefined) return over('context', {}, 'The context is full.');
    if (step.crash !== undefined) process.exit(step.crash);
    if (step.die !== undefined) process.kill(process.pid, 'SIGKILL');
    if (step.stop !== undefined) process.kill(process.pid, 'SIGSTOP');
    paint();
  }
  over('stop', { answer }, '');
}

function over(event, more, entry) {
  if (entry !== '') entries.push(`● ${entry}`);
  [busy, status] = [false, ''];
  tell(event, more);
  paint();
  if (queue.length > 0) begin(queue.shift());
}

const ask = (step) => new Promise((resolve) => {
  dialog = { text: step.dialog, rows: ['No, stop here', step.label ?? 'Yes, this once', 'Yes, always'], at: 0, wanted: 1, chosen: resolve };
  paint();
});

function choose(row) {
  tell('chosen', { row: dialog.rows[row] });
  const { wanted, chosen } = dialog;
  dialog = undefined;
  if (row === wanted) chosen();
  else over('stop', { answer: '' }, 'It was not allowed.');
}

function begin(text) {
  entries.push(`» ${text}`);
  tell('prompt', { prompt: text });
  turn += 1;
  void play(turns[Math.min(turn, turns.length) - 1]);
}

function feed(chunk) {
  for (let rest = chunk; rest !== ''; ) {
    // oxlint-disable-next-line no-control-regex -- terminal escapes are what is being matched
    const paste = /^\x1b\[200~([^]*?)\x1b\[201~/.exec(rest);
    // oxlint-disable-next-line no-control-regex -- terminal escapes are what is being matched
    const key = paste?.[0] ?? /^\x1b\[[0-9;]*[A-Za-z]|^[^]/.exec(rest)[0];
    rest = rest.slice(key.length);
    if (dialog !== undefined) {
      if (key === '\x1b[A' || key === '\x1bOA') dialog.at = Math.max(0, dialog.at - 1);
      else if (key === '\x1b[B' || key === '\x1bOB') dialog.at = Math.min(dialog.rows.length - 1, dialog.at + 1);
      else if (key === '\r') choose(dialog.at);
    } else if (paste !== null) composer += paste[1];
    else if (key === '\r') {
      const text = composer;
      composer = '';
      if (text !== '' && busy) queue.push(text);
      else if (text !== '') begin(text);
    } else if (key === '\x15') composer = '';
    else if (key >= ' ') composer += key;
  }
  paint();
}

const first = turns[0]?.[0] ?? {};
if (first.mute !== undefined) muted = true;
process.stdin.setRawMode(true);
process.stdin.setEncoding('utf8');
process.stdin.on('data', feed);
process.stdin.on('end', () => process.exit(0));
process.stdout.write('\x1b[?2004h\x1b]2;actor\x07');
if (muted) await never();
tell('begins');
begin('the task');
