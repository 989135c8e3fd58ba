// A table of all tasks of a pit that have ended: node table.mjs SNAKEPIT PIT
// Everything comes from the command line's own JSON: `snakepit ls --json` and `snakepit show TASK --json`.
import { execFile } from 'node:child_process';
import { promisify, styleText } from 'node:util';

const [program, pit] = process.argv.slice(2);
const run = promisify(execFile);
const ask = async (...words) => JSON.parse((await run(process.execPath, [program, '-C', pit, ...words, '--json'], { maxBuffer: 2 ** 26 })).stdout);

const colour = process.stdout.isTTY && !process.env.NO_COLOR;
const seconds = (ms) => `${(Math.max(0, ms) / 1000).toFixed(1)} s`;

/** One row; the duration is that of the attempts together, without the waits between them. */
function rowOf({ id, state, attempts }) {
  const worked = attempts.reduce((sum, attempt) => sum + attempt.endedAt - (attempt.startedAt ?? attempt.endedAt), 0);
  const last = attempts.at(-1)?.outcome;
  const first = attempts[0]?.outcome;
  const remark = last === undefined ? 'never started' : last.kind === 'failed' ? last.reason : attempts.length > 1 ? `first attempt: ${first?.reason ?? first?.kind}` : '';
  return { endedAt: attempts.at(-1)?.endedAt ?? Number.MAX_SAFE_INTEGER, cells: [id, state, String(attempts.length), seconds(worked), remark] };
}

const tasks = [];
const todo = (await ask('ls')).tasks.map((task) => task.id);
await Promise.all(Array.from({ length: 4 }, async () => {
  for (let id = todo.shift(); id !== undefined; id = todo.shift()) tasks.push(await ask('show', id));
}));

const rows = tasks.map(rowOf).sort((a, b) => a.endedAt - b.endedAt).map((row) => row.cells);
const all = [['TASK', 'STATE', 'ATTEMPTS', 'TOOK', ''], ...rows];
const widths = all[0].map((_, column) => Math.max(...all.map((row) => row[column].length)));
for (const [index, row] of all.entries()) {
  const line = row.map((cell, column) => (column === 2 || column === 3 ? cell.padStart(widths[column]) : cell.padEnd(widths[column]))).join('  ').trimEnd();
  const format = index === 0 ? 'dim' : row[1] === 'failed' ? 'red' : row[2] !== '1' ? 'yellow' : undefined;
  process.stdout.write(`${colour && format !== undefined ? styleText(format, line) : line}\n`);
}
