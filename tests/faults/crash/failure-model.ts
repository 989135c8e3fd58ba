import type { Part, Row, Run, Sweep } from '../crash-matrix.js';

/* docs/failure-model.md, from the table. Pure. */

const PREFACE = `<!-- Rendered from tests/faults/crash-matrix.ts by \`npm run failure-model\`; edit that. A test compares the two. -->
# What may die, and what comes of it

Anything may be ended by \`kill -9\` between any two instructions: the pit, a snake, a session, tmux, a command, \`cleanup\`, the machine.
This page says, for each step, what lies on disk then, who repairs it, and how the task ends.

**At three in the morning:** say \`snakepit up\`. It starts what is missing, adopts what still works, and mends the rest. If no pit is to
run, say \`snakepit cleanup\`; \`--dry-run\` prints what it would do. Both may be said at any time, again and again, and may be killed themselves.
What neither touches needs you: \`stuck/\` (processes that could not be ended), \`needs/\` (a question), \`held/\`, and \`failed/\`. \`snakepit explain TASK\`
says why a task stands where it stands.

Four things hold throughout:

- A task moves by one rename, and its counts are in its name: it is in one place, with one count, at every instant.
- A record is written beside its place under a hidden name that tells its writer, synced, and renamed: it is whole or it is not there. What
  a dead writer left half-written is swept.
- Dead is who is proven dead, by pid, start time and boot. Who cannot be looked at is unknown, and is neither robbed nor ended.
- A new attempt starts only after every process of the old one is gone. An attempt may so be repeated, and two never run at once.

Counts are failures (the task's own), losses (its worker or session vanished) and deferrals (a limit, a question, going down); here they are
written as the last attempt bore them, 0.1.0 after one loss. Starts are how often the agent program was begun.
`;

const TESTS = `## How this is known

A row marked **matrix** is played by \`tests/faults/crash-matrix.test.ts\`: a preload counts the operations by which a real process changes files
and ends it by SIGKILL at exactly that one, before it, after it, or with half of a text written. Then whoever repairs is started, the task is worked to
its end, and all is looked at: the place, the counts, the starts, the story, locks, hidden files, tmux sessions, processes. Other rows name their test.

The same is done at *every* operation of these:

`;

const after = (drawn: number): string => `
Of those marked so, ${drawn} are drawn in each run. \`TEST_SEED=drawn\` draws others and prints its seed, and \`TEST_SEED=\` with that repeats them. \`npm run crash-matrix\` plays all of them.

Not played: power loss. What is synced before what is written in the code (records and directories, at each rename that commits), and no test cuts
the power. A process in uninterruptible sleep, and one that scrubs its environment, leaves its directory, calls \`setsid\` and outlives its parent, are
beyond what is promised.
`;

export function renderFailureModel(parts: readonly Part[], sweeps: readonly Sweep[], drawn: number): string {
  const tables = parts.map(({ title, says, rows }) => `## ${title}\n\n${says}\n\n${table(['who dies, when', 'what lies on disk', 'who repairs it', 'how the task ends', 'test'], rows.map(rowOf))}`);
  const swept = table(['killed at each operation of', 'in each run of the tests'], sweeps.map(({ title, ci, full }) => [full === true ? `${title}; also with a disk that is full from there on` : title, ci === 'all' ? 'all' : ci === 'drawn' ? 'one, where it is drawn' : `a sample of ${ci}`]));
  return `${PREFACE}\n${tables.join('\n')}\n${TESTS}${swept}${after(drawn)}`;
}

const rowOf = ({ dies, lies, repairs, ends, run }: Row): string[] => [dies, lies, repairs, `${ends}${figures(run)}`, where(run)];

function figures(run: Run): string {
  if (run.kind === 'elsewhere') return '';
  const said = [...(run.counters === '' ? [] : [run.counters]), ...(run.starts === undefined ? [] : [`${run.starts} start${run.starts === 1 ? '' : 's'}`])];
  return said.length === 0 ? '' : ` (${said.join(', ')})`;
}

const where = (run: Run): string => (run.kind !== 'elsewhere' ? '**matrix**' : `[${run.file.replace(/^.*\//, '').replace('.test.ts', '')}](../${run.file}): ${run.title}`);

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  return `${line(head)}${line(head.map(() => '---'))}${rows.map(line).join('')}`;
}
