import { join } from 'node:path';
import winston from 'winston';
import DailyRotateFile from 'winston-daily-rotate-file';

/** A person's log of the pit: what it did and why, one JSON object a line. */
export interface PitLog {
  info(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
  error(message: string, fields?: object): void;
  /** Resolves when all lines are on disk; ending the process earlier loses them. */
  close(): Promise<void>;
}

/** `dir`: as seen from the working directory; a path of any letters cannot be given whole. Rotated daily and at 10 MB, seven files kept. The daily transport: winston's own `maxsize` loses lines (issue 1655). */
export function openPitLog(dir: string, alsoStderr: boolean): PitLog {
  const { combine, timestamp, json } = winston.format;
  const logger = winston.createLogger({
    level: 'info',
    format: combine(timestamp(), json()),
    transports: alsoStderr ? [new winston.transports.Console({ stderrLevels: ['info', 'warn', 'error'] })] : [],
  });
  logger.on('error', () => undefined);
  let file: DailyRotateFile | undefined;
  let openedAt = 0;
  /** A full disk takes no lines: they are lost, and nothing else. The file that broke of it is opened anew, at most once a second. */
  const write = (level: 'info' | 'warn' | 'error', message: string, fields?: object): void => {
    if (file === undefined && Date.now() - openedAt > REOPEN_MS) {
      openedAt = Date.now();
      file = openFile(dir, (broken) => {
        if (file !== broken) return;
        file = undefined;
        logger.remove(broken);
      });
      if (file !== undefined) logger.add(file);
    }
    // Without a place to write to, winston tells standard error of each line.
    if (logger.transports.length > 0) logger.log(level, message, fields);
  };
  return {
    info: (message, fields) => write('info', message, fields),
    warn: (message, fields) => write('warn', message, fields),
    error: (message, fields) => write('error', message, fields),
    close: () =>
      new Promise((resolve) => {
        if (file === undefined) return resolve();
        file.on('finish', () => resolve());
        logger.end();
        setTimeout(resolve, 2000).unref();
      }),
  };
}

const REOPEN_MS = 1000;

/** Undefined where it cannot be opened now. The library passes errors of writing to nobody: unheard, they end the process. */
function openFile(dir: string, broke: (file: DailyRotateFile) => void): DailyRotateFile | undefined {
  try {
    const file = new DailyRotateFile({ dirname: dir, filename: 'pit-%DATE%.log', datePattern: 'YYYY-MM-DD', maxSize: '10m', maxFiles: 7, auditFile: join(dir, '.pit-log-audit.json') });
    file.on('error', () => broke(file));
    file.logStream.on('error', () => broke(file));
    return file;
  } catch {
    return undefined;
  }
}
