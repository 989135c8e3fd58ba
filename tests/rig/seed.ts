/**
 * What a run draws by: generated values, samples, schedules of faults. The same in each run, so that one that fails speaks of what was
 * changed and not of luck; `TEST_SEED=drawn` draws another and prints it (`npm run draw`), and `TEST_SEED=<printed>` repeats that one.
 * What real processes make of a seed differs from run to run all the same.
 */
export const TEST_SEED = Number(process.env['TEST_SEED'] ?? 20_261_122);
