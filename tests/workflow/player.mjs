/*
 * An agent program for tests of workflows: `node player.mjs NAME SCRIPT`. SCRIPT is a file of JSON: step → list of lines of shell,
 * one entry for each time that step runs (the last one repeats). It tells who ran in which step: a line of JSON in SCRIPT.log, then
 * runs its line with the session's own environment.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';

const [name, script] = process.argv.slice(2);
const plan = JSON.parse(readFileSync(script, 'utf8'));
const { SNAKEPIT_TASK_ID: task, SNAKEPIT_STEP: step, SNAKEPIT_ROUND: round } = process.env;
const before = existsSync(`${script}.log`) ? readFileSync(`${script}.log`, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line)) : [];
const times = before.filter((one) => one.task === task && one.step === step).length;
const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => key.startsWith('SNAKEPIT_') || key.startsWith('WHO')));
appendFileSync(`${script}.log`, `${JSON.stringify({ name, task, step, round, pid: process.pid, env, prompt: process.env.SNAKEPIT_RUN_DIR === undefined ? '' : readFileSync(`${process.env.SNAKEPIT_RUN_DIR}/prompt.md`, 'utf8') })}\n`);
const lines = plan[step] ?? ['true'];
const ran = spawnSync('/bin/sh', ['-c', lines[Math.min(times, lines.length - 1)]], { stdio: 'inherit' });
process.exit(ran.status ?? 1);
