import { randomInt } from 'node:crypto';
import { defineConfig } from 'vitest/config';
import { install, isMissing, type AgentName } from './tests/agents/install.js';
import { LongestFirst } from './tests/rig/longest-first.js';

const CORE: readonly AgentName[] = ['claude', 'codex', 'gemini', 'opencode', 'pi'];
/** Tests that run the real programs. */
const REAL = ['tests/agents/*.pit.test.ts', 'tests/agents/{check-live,deliver,examples,stub}.test.ts'];

/**
 * The real agent programs are installed before the first test, pinned, outside package.json. Where they cannot be had, their
 * tests are left out, and that is said; with SNAKEPIT_AGENTS_REQUIRED, as CI has it, it is an error. `SNAKEPIT_AGENTS=none`
 * leaves them out on purpose.
 */
async function withoutAgents(): Promise<string[]> {
  if (process.env['SNAKEPIT_AGENTS'] === 'none') {
    console.log('real agent programs: left out, as SNAKEPIT_AGENTS=none says; their tests are SKIPPED');
    return REAL;
  }
  const found = await Promise.all(CORE.map((name) => install(name)));
  const missing = found.flatMap((one, index) => (isMissing(one) ? [`${CORE[index] ?? ''}: ${one.missing}`] : []));
  if (missing.length === 0) {
    console.log(`real agent programs: ${found.flatMap((one) => (isMissing(one) ? [] : [`${one.name} ${one.version}`])).join(', ')}`);
    return [];
  }
  const why = `real agent programs cannot be had here: ${missing.join('; ')}`;
  if ((process.env['SNAKEPIT_AGENTS_REQUIRED'] ?? '') !== '') throw new Error(why);
  console.log(`${why}; their tests are SKIPPED`);
  return REAL;
}

/**
 * Tests that prove something, and run nothing of the machine's that takes longer than a child or two: they compute, as many at a time as
 * there are cores.
 */
const PROOFS = [
  'tests/{contract,corpus,formats,property,sim,unit,watchsim}/**/*.test.ts',
  'tests/**/*.property.test.ts',
  'tests/{agents/wire,security/text,top/keys,workflow/files}.test.ts',
];
/** Storms, sweeps and races of real processes, some with drawn seeds: mostly waiting, and proofs all the same. */
const STORMS = ['tests/faults/{chaos,claims,crash-matrix,merge-bar,prune-sweep}.test.ts'];

const CORES = 2;
/** Pits, terminals and programs wait more than they compute: about half of a core each. */
const AT_ONCE = 4;

export default defineConfig(async () => {
  if (process.env['TEST_SEED'] === 'drawn') console.log(`TEST_SEED=${(process.env['TEST_SEED'] = String(randomInt(2 ** 31)))}`);
  const exclude = ['node_modules/**', 'dist/**', ...(await withoutAgents())];
  // Real processes, because the code under test reads its own entry in the process table.
  const common = { pool: 'forks', fileParallelism: true, testTimeout: 60_000, hookTimeout: 60_000 } as const;
  const waiting = { ...common, maxWorkers: AT_ONCE, sequence: { groupOrder: 0 } } as const;
  return {
    test: {
      ...common,
      maxWorkers: AT_ONCE,
      reporters: ['default', './tests/rig/second-go.ts'],
      sequence: { sequencer: LongestFirst },
      projects: [
        // What else the machine does can fail one of them. A second go, which is told (tests/rig/second-go.ts).
        { test: { ...waiting, name: 'pits', include: ['tests/**/*.test.ts'], exclude: [...exclude, ...PROOFS, ...STORMS], retry: 1 } },
        // Their seed is the same in each run, so that a second go draws nothing over; a window of real processes may stay shut once.
        { test: { ...waiting, name: 'storms', include: STORMS, exclude, retry: 1 } },
        // One go: they compute, and come to the same each time.
        { test: { ...common, name: 'proofs', setupFiles: './tests/rig/seeded.ts', include: PROOFS, exclude, retry: 0, maxWorkers: CORES, sequence: { groupOrder: 1 } } },
      ],
    },
  };
});
