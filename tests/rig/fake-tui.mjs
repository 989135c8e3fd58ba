/*
 * A terminal program with a composer, for tests of delivery.
 *
 *     node fake-tui.mjs <directory>
 *
 * It reads <directory>/how.json at the start and whenever that changes, and writes:
 *   submitted.jsonl   one line per text that was submitted: {text, while: "idle" | "working"}
 *   eaten.jsonl       keys that a dialog took
 *   started.jsonl     one line per start: its arguments, what it was asked and answered before
 *   chosen.jsonl      rows of menus that were chosen
 *   events.jsonl      what a hook would tell, if `hooks`
 *
 * how.json: {
 *   swallowMs       Enter so soon after text is not a submission (paste-burst guards), but …
 *   swallowAs       "nothing" or "newline"
 *   ignoreEnters    the first so many Enters are lost
 *   workMs          how long a turn takes
 *   midTurn         "queue" | "interrupt"; queueKey "tab": only Tab queues
 *   fold            pastes of so many lines are shown as a marker
 *   alternate       uses the alternate screen
 *   startMs         nothing is shown before; a paste that comes before `deafMs` loses its head
 *   dialog          text of a dialog that is up, or null
 *   menu            a dialog with a cursor: {ask, rows, at, keys: {y: 1}, stubborn, frozen, done, slow}; chosen, it goes (unless stubborn) and the session
 *                   says that it is done where `done` says so; frozen: its cursor does not move; several: a list, one after the other
 *   says            lines of transcript above all else
 *   draft           text that a person left in the composer
 *   dieOn           "paste" | "enter"
 *   paintMs         how late the screen follows
 *   nervous         the cursor moves all the time
 *   doneWhenAnswered  says at its start that it is done, where an answer came with it; there is no menu then
 *   asksInWords     says at its start that it asks this, where no answer came with it
 *   hooks           tells of prompts; cut: what it submits and tells lacks its last character
 * }
 */
import { appendFileSync, existsSync, readFileSync, watchFile, writeFileSync } from 'node:fs';

const dir = process.argv[2];
const startedAt = Date.now();
let how = JSON.parse(readFileSync(`${dir}/how.json`, 'utf8'));
let [composer, folds, queue, work, lastTextAt, enters, jitter] = [how.draft ?? '', [], [], undefined, 0, 0, 0];
let menus = [how.menu ?? []].flat();
const out = (text) => process.stdout.write(text);
const tell = (file, value) => appendFileSync(`${dir}/${file}.jsonl`, `${JSON.stringify(value)}\n`);

function screen() {
  if (Date.now() - startedAt < (how.startMs ?? 0)) return ['starting…'];
  if (menus.length > 0) return [...(how.says ?? []), '', `▲ ${menus[0].ask}`, ...menus[0].rows.map((row, at) => `${at === (menus[0].at ?? 0) ? '❯' : ' '} ${at + 1}. ${row}`)];
  if (how.dialog) return ['Some words of a transcript.', '', `▲ ${how.dialog}`, '  1. No, exit', '  2. Yes'];
  const shown = folds.reduce((text, fold) => text.replace(fold.text, fold.marker), composer);
  const columns = process.stdout.columns || 80;
  const rows = shown.split('\n').flatMap((line) => line.match(new RegExp(`.{1,${columns - 3}}`, 'gu')) ?? ['']).slice(-8);
  return [...(how.says ?? []), ...queue.map((text) => `queued: ${text.slice(0, 40).replaceAll('\n', ' ')}`), work ? '* Working… (esc to interrupt)' : '* ready', '─'.repeat(columns), ...rows.map((row, at) => `${at === 0 ? '>' : ' '} ${row}`), '─'.repeat(columns), '? for help'];
}

function paint() {
  const rows = screen();
  out(`\x1b[?2026h\x1b[H\x1b[2J${rows.join('\r\n')}\x1b[${rows.length + (how.nervous ? 1 + (jitter++ % 3) : 0)};3H\x1b[?2026l`);
}
const repaint = () => (how.paintMs ? setTimeout(paint, how.paintMs) : paint());

function begin(text, during) {
  const sent = how.cut ? text.slice(0, -1) : text;
  tell('submitted', { text: sent, while: during });
  if (how.hooks) tell('events', { event: 'UserPromptSubmit', prompt: sent });
  work = setTimeout(() => {
    work = undefined;
    const next = queue.shift();
    if (next !== undefined) begin(next, 'working');
    repaint();
  }, how.workMs ?? 300);
}

function submit(key) {
  if (key === 'tab' && !(work && how.queueKey === 'tab')) return;
  if (how.dieOn === 'enter') process.exit(3);
  if ((enters += 1) <= (how.ignoreEnters ?? 0)) return;
  if (key === 'enter' && Date.now() - lastTextAt < (how.swallowMs ?? 0)) {
    if (how.swallowAs === 'newline') composer += '\n';
    return;
  }
  const text = composer;
  if (text === '') return;
  [composer, folds] = ['', []];
  if (!work) return begin(text, 'idle');
  if (how.midTurn === 'interrupt' && key === 'enter') {
    clearTimeout(work);
    tell('submitted', { interrupted: true });
    return begin(text, 'idle');
  }
  queue.push(text);
}

function typed(text) {
  lastTextAt = Date.now();
  composer += text;
}

function pasted(text) {
  if (how.dieOn === 'paste') process.exit(3);
  const plain = text.replaceAll('\r', '\n');
  const kept = Date.now() - startedAt < (how.deafMs ?? 0) ? plain.slice(30) : plain;
  if (how.fold && plain.split('\n').length >= how.fold) folds.push({ text: kept, marker: `[Pasted text #1 +${plain.split('\n').length - 1} lines]` });
  typed(kept);
}

function choose(menu, at) {
  tell('chosen', { ask: menu.ask, row: menu.rows[at] });
  if (menu.stubborn) return;
  menus = menus.slice(1);
  if (menu.done) writeFileSync(process.env.SNAKEPIT_RESULT, JSON.stringify({ outcome: 'done', message: `chose ${menu.rows[at]}` }));
}

function menuKey(key) {
  const [menu] = menus;
  const at = menu.at ?? 0;
  if (key === '\r') choose(menu, at);
  else if (menu.keys?.[key] !== undefined) choose(menu, menu.keys[key]);
  else if (key === 'down' && !menu.frozen) menu.at = (at + 1) % menu.rows.length;
  else if (key === 'up' && !menu.frozen) menu.at = (at + menu.rows.length - 1) % menu.rows.length;
  else tell('eaten', { key });
}

let pending = '';
function feed(chunk) {
  pending += chunk;
  for (;;) {
    if (pending === '') break;
    if (pending.startsWith('\x1b[200~')) {
      const end = pending.indexOf('\x1b[201~');
      if (end < 0) return;
      const text = pending.slice(6, end);
      pending = pending.slice(end + 6);
      if (how.dialog || menus.length > 0) tell('eaten', { text });
      else pasted(text);
      continue;
    }
    const arrow = pending.startsWith('\x1b') ? /^.[[O]([AB])/s.exec(pending) : null;
    if (arrow !== null) {
      pending = pending.slice(3);
      if (menus.length > 0) menuKey(arrow[1] === 'A' ? 'up' : 'down');
      continue;
    }
    const at = pending.indexOf('\x1b');
    const run = at < 0 ? pending : at === 0 ? pending.slice(0, 1) : pending.slice(0, at);
    pending = pending.slice(run.length);
    for (const key of run) {
      if (menus.length > 0) menuKey(key);
      else if (how.dialog) tell('eaten', { key });
      else if (key === '\r') submit('enter');
      else if (key === '\t') submit('tab');
      else if (key === '\x15') [composer, folds] = ['', []];
      else if (key >= ' ') typed(key);
    }
  }
  repaint();
}

const prompt = `${process.env.SNAKEPIT_RUN_DIR ?? ''}/prompt.md`;
tell('started', { argv: process.argv.slice(3), answer: process.env.SNAKEPIT_ANSWER, workspace: process.env.SNAKEPIT_WORKSPACE, prompt: existsSync(prompt) ? readFileSync(prompt, 'utf8') : '' });
if (how.doneWhenAnswered && process.env.SNAKEPIT_ANSWER) {
  menus = [];
  writeFileSync(process.env.SNAKEPIT_RESULT, JSON.stringify({ outcome: 'done', message: `was told: ${process.env.SNAKEPIT_ANSWER}` }));
}
if (how.asksInWords && !process.env.SNAKEPIT_ANSWER) writeFileSync(process.env.SNAKEPIT_RESULT, JSON.stringify({ outcome: 'ask', message: how.asksInWords }));

process.stdin.setRawMode(true);
process.stdin.setEncoding('utf8');
process.stdin.on('data', feed);
process.stdin.on('end', () => process.exit(0));
out(`${how.alternate ? '\x1b[?1049h' : ''}\x1b[?2004h\x1b]2;fake\x07`);
watchFile(`${dir}/how.json`, { interval: 20 }, () => {
  how = JSON.parse(readFileSync(`${dir}/how.json`, 'utf8'));
  paint();
});
setTimeout(paint, how.startMs ?? 0);
if (how.nervous) setInterval(paint, 15);
paint();
