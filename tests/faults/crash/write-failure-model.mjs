// npm run failure-model: writes docs/failure-model.md from tests/faults/crash-matrix.ts.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { strip } from '../../rig/strip.mjs';

const target = fileURLToPath(new URL('../../../docs/failure-model.md', import.meta.url));
const dir = strip(['tests/faults']);
try {
  const load = (name) => import(pathToFileURL(join(dir, 'tests/faults', name)).href);
  const [{ DRAWN, PARTS, SWEEPS }, { renderFailureModel }] = await Promise.all([load('crash-matrix.js'), load('crash/failure-model.js')]);
  fs.mkdirSync(join(target, '..'), { recursive: true });
  fs.writeFileSync(target, renderFailureModel(PARTS, SWEEPS, DRAWN));
} finally {
  fs.rmSync(dir, { recursive: true, force: true });
}
