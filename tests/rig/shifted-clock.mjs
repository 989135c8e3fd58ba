/*
 * A preload for tests: `node --import shifted-clock.mjs PROGRAM`. The wall clock of the process is set wrong by as many milliseconds as stand in the
 * file that TEST_CLOCK_FILE names, now and whenever that changes; what is monotonic runs on. The times of files are the kernel's, and right.
 */
import fs from 'node:fs';

const file = process.env.TEST_CLOCK_FILE;
if (file !== undefined) {
  const Real = Date;
  const offset = () => {
    try {
      return Number(fs.readFileSync(file, 'utf8')) || 0;
    } catch {
      return 0;
    }
  };
  const now = () => Real.now() + offset();
  globalThis.Date = class Date extends Real {
    constructor(...args) {
      if (args.length === 0) super(now());
      else super(...args);
    }
    static now() {
      return now();
    }
  };
}
