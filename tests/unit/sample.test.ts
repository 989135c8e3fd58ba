import { expect, it } from 'vitest';
import { SCRIPTS } from '../agents/failures.js';
import { CORE, thirdOf, type Mode } from '../agents/sample.js';

it.each<Mode>(['headless', 'interactive'])('the sample of real programs has each failure of a provider in %s mode, and some for each program', (mode) => {
  const sample = CORE.map((name) => thirdOf(SCRIPTS, name, mode));
  expect(new Set(sample.flat())).toEqual(new Set(SCRIPTS));
  for (const one of sample) expect(one).toHaveLength(3);
});
