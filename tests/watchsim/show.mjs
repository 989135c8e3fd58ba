// npm run watchsim [-- NAME…]: what the watchdog would do, as a timeline in virtual time; without a name, the scenarios there are.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { strip } from '../rig/strip.mjs';

const dir = strip(['src', 'tests/sim', 'tests/watchsim', 'tests/rig']);
try {
  const load = (file) => import(pathToFileURL(join(dir, 'tests', 'watchsim', file)).href);
  const { SCENARIOS } = await load('scenarios.js');
  const { play } = await load('scenario.js');
  const { clock, printLine } = await load('timeline.js');
  const names = process.argv.slice(2);
  for (const name of names.filter((one) => SCENARIOS.every((scenario) => scenario.name !== one))) {
    console.error(`no scenario is called ${name}; npm run watchsim lists them`);
    process.exitCode = 64;
  }
  if (names.length === 0) for (const { name, rows, about } of SCENARIOS) console.log(`${name.padEnd(28)} ${rows.join(' ').padEnd(12)} ${about}`);
  for (const scenario of SCENARIOS.filter(({ name }) => names.includes(name))) {
    const { lines, tookMs, world } = await play(scenario);
    console.log(`${scenario.name}: ${scenario.about}\n`);
    for (const line of lines) console.log(printLine(line));
    console.log(`\n${clock(scenario.lasts)} in ${Math.round(tookMs)} ms; ${world.machine.calls} port calls, ${world.disk.writes} writes, ${world.launches} launches, ${world.typed.length} texts and keys\n`);
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}
