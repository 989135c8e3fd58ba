import { cpus, loadavg } from 'node:os';
import { claims } from './claims.js';
import { history } from './history.js';
import { latency } from './latency.js';
import { cleanUp, printTable } from './lib.js';
import { memory } from './memory.js';
import { pit } from './pit.js';
import { startup } from './startup.js';
import { worktrees } from './worktrees.js';

const SECTIONS = { claims, latency, startup, history, memory, worktrees, pit };

for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143], ['SIGHUP', 129]]) {
  process.on(signal, () => {
    cleanUp();
    process.exit(code);
  });
}

process.on('exit', cleanUp);

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !Object.hasOwn(SECTIONS, name));
if (unknown !== undefined) {
  process.stderr.write(`no section is called ${unknown}; there are: ${Object.keys(SECTIONS).join(', ')}\n`);
  process.exitCode = 64;
} else await run(wanted.length > 0 ? wanted : Object.keys(SECTIONS));

async function run(names) {
  const startedAt = performance.now();
  process.stdout.write(`node ${process.version}, ${cpus().length} cores (${cpus()[0]?.model ?? '?'}), load ${loadavg()[0].toFixed(2)}\n`);
  let missed = 0;
  for (const name of names) {
    try {
      const figures = await SECTIONS[name]();
      printTable(name, figures);
      missed += figures.filter((one) => one.verdict === 'MISSED').length;
    } catch (cause) {
      missed += 1;
      process.stderr.write(`\n${name} could not be measured: ${cause instanceof Error ? cause.stack : String(cause)}\n`);
    } finally {
      cleanUp();
    }
  }
  process.stdout.write(`\n${missed === 0 ? 'every bar is met' : `${missed} missed`}; ${((performance.now() - startedAt) / 1000).toFixed(0)} s\n`);
  process.exitCode = missed === 0 ? 0 : 1;
}
