import { CommanderError } from 'commander';
import { EXIT, exitOf } from './exit.js';
import { buildProgram } from './program.js';
import { fit } from './terminal.js';

// Whatever is made from here on, by us, the pit, its snakes and tmux, is its owner's alone.
process.umask(0o077);

process.stdout.on('error', (cause: NodeJS.ErrnoException) => {
  // A reader that went away (`snakepit ls | head`) is no error.
  if (cause.code === 'EPIPE') process.exitCode ??= 0;
  else throw cause;
});

try {
  await buildProgram().parseAsync(process.argv);
} catch (cause) {
  if (cause instanceof CommanderError) process.exitCode = cause.exitCode === 0 ? EXIT.ok : EXIT.usage;
  else {
    const { code, line } = exitOf(cause);
    process.stderr.write(`snakepit: ${fit(line)}\n`);
    if (code === EXIT.internal && (process.env['SNAKEPIT_DEBUG'] ?? '') !== '' && cause instanceof Error) process.stderr.write(`${cause.stack ?? ''}\n`);
    process.exitCode = code;
  }
}
