import { MUTANTS } from './mutants.js';
import { runSchedule } from './schedule.js';

/** What a worker reports: one line of JSON. */
export interface Report {
  readonly schedules: number;
  readonly steps: number;
  readonly faults: number;
  readonly failure: { readonly seed: number; readonly violation: string } | undefined;
}

/** Arguments: first seed, last seed, step between seeds, number of a mutant or -1. Stops at the first violation. */
const [first = 1, last = 0, stride = 1, mutantNumber = -1] = process.argv.slice(2).map(Number);
let report: Report = { schedules: 0, steps: 0, faults: 0, failure: undefined };
for (let seed = first; seed <= last && report.failure === undefined; seed += stride) {
  const { violation, steps, faults } = await runSchedule(seed, { mutant: MUTANTS[mutantNumber] });
  report = { schedules: report.schedules + 1, steps: report.steps + steps, faults: report.faults + faults, failure: violation === undefined ? undefined : { seed, violation } };
}
process.stdout.write(`${JSON.stringify(report)}\n`);
