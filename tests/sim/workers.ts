import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { strip } from '../rig/strip.mjs';
import type { Report } from './worker.js';

/*
 * Twenty thousand schedules run in plain Node, in one child process for each core: inside the test runner, whose module
 * wrappers cost a factor of two, they would take four times as long. So src/ and tests/sim/ are stripped of their types into
 * a directory of their own.
 */

export interface Build {
  /** One child; seeds `first`, `first + stride`… up to `last`. */
  run(first: number, last: number, stride: number, mutant: number): Promise<Report>;
  remove(): void;
}

export function build(): Build {
  const dir = strip(['src', 'tests/sim', 'tests/rig']);
  return {
    run: async (first, last, stride, mutant) => {
      const { stdout } = await promisify(execFile)(process.execPath, [join(dir, 'tests', 'sim', 'worker.js'), ...[first, last, stride, mutant].map(String)]);
      return JSON.parse(stdout) as Report;
    },
    remove: () => fs.rmSync(dir, { recursive: true, force: true }),
  };
}
