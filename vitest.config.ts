import { defineConfig } from 'vitest/config';
import { install, isMissing, type AgentName } from './tests/agents/install.js';

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

export default defineConfig(async () => ({
  test: {
    include: ['tests/**/*.test.ts'],
    exclude: ['node_modules/**', 'dist/**', ...(await withoutAgents())],
    // Real processes, because the code under test reads its own entry in the process table; two at a time for two cores.
    pool: 'forks',
    fileParallelism: true,
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
}));
