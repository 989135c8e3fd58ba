// npm run chaos: the long soak; it ends when its tasks have ended, --minutes is for a machine that is far too slow. --rate: hits of the monkey for each hundred tasks. A planted fault that is found is success.
// npm run chaos -- --seed N --tasks N --snakes N --minutes N --rate N --plant NAME
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { strip } from '../rig/strip.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const { values } = parseArgs({ options: Object.fromEntries(['seed', 'tasks', 'snakes', 'minutes', 'rate', 'plant'].map((name) => [name, { type: 'string' }])) });
const built = strip(['src', 'tests/chaos', 'tests/rig']);
fs.copyFileSync(new URL('./delays.mjs', import.meta.url), join(built, 'tests/chaos/delays.mjs'));
const load = (file) => import(pathToFileURL(join(built, file)).href);
const made = [built];
let status = 1;
try {
  const { soak } = await load('tests/chaos/soak.js');
  const { PLANTS } = await load('tests/chaos/plants.js');
  const { printTable } = await load('tests/chaos/print.js');
  const number = (name, otherwise) => (values[name] === undefined ? otherwise : Number(values[name]));
  const seed = number('seed', Math.floor(Math.random() * 2 ** 31));
  const plant = values.plant === undefined ? undefined : PLANTS[values.plant];
  if (values.plant !== undefined && plant === undefined) throw new Error(`no fault is called ${values.plant}; there are: ${Object.keys(PLANTS).join('; ')}`);
  let dist = join(ROOT, 'dist');
  if (plant !== undefined) {
    const copy = fs.mkdtempSync(join(tmpdir(), 'mutant-'));
    made.push(copy);
    for (const name of ['package.json', 'bin', 'profiles', 'prompts', 'workflows', 'prices.yaml', 'node_modules']) fs.symlinkSync(join(ROOT, name), join(copy, name));
    fs.cpSync(dist, join(copy, 'dist'), { recursive: true });
    dist = join(copy, 'dist');
    const text = fs.readFileSync(join(dist, plant.file), 'utf8');
    if (!text.includes(plant.find)) throw new Error(`dist/${plant.file} has no such text: ${plant.find}`);
    fs.writeFileSync(join(dist, plant.file), text.replace(plant.find, () => plant.replace));
  }
  const dir = fs.mkdtempSync(join(tmpdir(), 'chaos-'));
  console.log(`chaos: seed ${seed}; its log: ${join(dir, 'soak.log')}`);
  const asked = plant?.options ?? { tasks: number('tasks', 2000), snakes: number('snakes', 12), rate: number('rate', 15), minutes: number('minutes', 30) };
  const { faults, table } = await soak({ ...asked, seed, dist }, dir);
  console.log(printTable(table));
  for (const fault of faults.slice(0, 40)) console.log(`FAULT ${fault}`);
  console.log(faults.length === 0 ? 'the ledger balances' : `${faults.length} faults`);
  status = (plant === undefined ? faults.length === 0 : plant.finds.test(faults.join('\n'))) ? 0 : 1;
} finally {
  for (const one of made) fs.rmSync(one, { recursive: true, force: true });
}
process.exitCode = status;
