import { runPit } from './main.js';

process.umask(0o077);
// It goes to a file: a full disk loses the words, and must not end who says them.
process.stderr.on('error', () => undefined);

/** The entry of the detached daemon; `snakepit up` starts it. */
const root = process.argv[2];
if (root === undefined) {
  process.stderr.write('usage: daemon ROOT; the pit is started by snakepit up\n');
  process.exitCode = 64;
} else {
  runPit(root, { foreground: false }).then(
    (code) => {
      process.exitCode = code;
    },
    (cause: unknown) => {
      process.stderr.write(`${new Date().toISOString()} pit: ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}\n`);
      // oxlint-disable-next-line unicorn/no-process-exit -- a broken pit must not linger on its watchers; snakes and sessions go on
      process.exit(70);
    },
  );
}
