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
  const file = new DailyRotateFile({ dirname: dir, filename: 'pit-%DATE%.log', datePattern: 'YYYY-MM-DD', maxSize: '10m', maxFiles: 7, auditFile: join(dir, '.pit-log-audit.json') });
  const { combine, timestamp, json } = winston.format;
  const logger = winston.createLogger({
    level: 'info',
    format: combine(timestamp(), json()),
    transports: alsoStderr ? [file, new winston.transports.Console({ stderrLevels: ['info', 'warn', 'error'] })] : [file],
  });
  return {
    info: (message, fields) => void logger.info(message, fields),
    warn: (message, fields) => void logger.warn(message, fields),
    error: (message, fields) => void logger.error(message, fields),
    close: () =>
      new Promise((resolve) => {
        file.on('finish', () => resolve());
        logger.end();
        setTimeout(resolve, 2000).unref();
      }),
  };
}
