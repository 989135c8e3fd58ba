import { openContext, print, printJson, type Context } from '../context.js';
import { CliError, EXIT } from '../exit.js';
import { checkMachine, ok, type Finding } from '../machine-checks.js';
import { checkPit } from '../pit-checks.js';
import { paint, table } from '../style.js';

export async function doctor(dir: string | undefined, options: { json?: boolean }): Promise<void> {
  const context = pitHere(dir);
  const findings: Finding[] = [...(await checkMachine()), ...(context === undefined ? [ok('pit', 'none here; make one with: snakepit init')] : await checkPit(context))];
  if (options.json === true) printJson({ findings });
  else {
    const mark = { ok: 'ok  ', warn: 'warn', bad: 'BAD ' } as const;
    print(table(findings.map((one) => [mark[one.level], one.check, one.remedy === '' ? one.fact : `${one.fact} → ${one.remedy}`]), (cell, column, row) => (column === 0 ? paint(findings[row]?.level === 'ok' ? 'green' : findings[row]?.level === 'warn' ? 'yellow' : 'red', cell) : cell)));
  }
  const bad = findings.filter((one) => one.level === 'bad');
  if (bad.length > 0) throw new CliError(`${bad.length} must be mended: ${bad.map((one) => one.check).join(', ')}`, EXIT.unavailable);
}

/** Without a pit the machine alone is looked at, unless a place was named. */
function pitHere(dir: string | undefined): Context | undefined {
  try {
    return openContext(dir);
  } catch (cause) {
    if (dir === undefined && cause instanceof CliError && cause.exitCode === EXIT.notFound) return undefined;
    throw cause;
  }
}
