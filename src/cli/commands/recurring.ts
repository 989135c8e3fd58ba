import { formatDuration } from '../../lib/duration.js';
import { show } from '../../lib/text.js';
import { applyRecurring, clearStaged, type Applied } from '../../recurring/apply.js';
import { decideByHand, decideUnfinished } from '../../recurring/decide.js';
import { localTime } from '../../recurring/local-time.js';
import { lookAtLast, observeTemplates, systemZone, type Sighting } from '../../recurring/observe.js';
import { readRecord } from '../../recurring/records.js';
import { NEVER, scheduleText } from '../../recurring/schedule.js';
import { SETTING } from '../../recurring/state.js';
import { specialistSightings } from '../../specialists/sightings.js';
import { livePit, openContext, print, printJson, readConfig, type Context } from '../context.js';
import { CliError, EXIT } from '../exit.js';
import { stateWord } from '../state-word.js';
import { paint, table } from '../style.js';

interface Row {
  readonly name: string;
  readonly file: string;
  readonly schedule: string | undefined;
  readonly zone: string | undefined;
  /** Wall-clock milliseconds; undefined until a pit has seen the template. */
  readonly nextDueAt: number | undefined;
  readonly catchUp: boolean | undefined;
  readonly last: { readonly id: string; readonly dueAt: number; readonly state: string } | undefined;
  readonly problem: { readonly line: number; readonly problem: string; readonly fix: string } | undefined;
}

/** What lies in queue/recurring/ and stands under specialists: now, half-written files too: a person asks, and sees what the pit will say. */
async function sightings(context: Context): Promise<readonly Sighting[]> {
  const config = await readConfig(context);
  const settings = await specialistSightings(context, context.layout, config);
  return (await observeTemplates(context.files, context.layout, { read: new Map(), looks: new Map() }, { settleMs: 0, maxTaskBytes: config.maxTaskBytes, zone: systemZone() }, { wallMs: context.clock.wallMs(), monoMs: context.clock.monoMs() }, settings)).list;
}

async function rowOf({ files, layout }: Context, sighting: Sighting): Promise<Row> {
  const name = sighting.kind === 'good' ? sighting.template.name : sighting.name;
  const record = await readRecord(files, layout, name);
  const look = await lookAtLast(files, layout, record);
  const state = look.kind === 'open' || look.kind === 'ended' ? stateWord(look.state) : look.kind;
  const last = record?.last === undefined ? undefined : { ...record.last, state };
  if (sighting.kind === 'refused') return { name, file: sighting.file, schedule: undefined, zone: undefined, nextDueAt: undefined, catchUp: undefined, last, problem: sighting.fault };
  const { file, schedule, catchUp } = sighting.template;
  return { name, file, schedule: scheduleText(schedule), zone: schedule.zone, nextDueAt: record === undefined || record.key === '' ? undefined : record.nextDueAt, catchUp, last, problem: undefined };
}

/** Every template: its schedule, when it is due next, its last instance, and what is wrong with it. */
export async function listRecurring(dir: string | undefined, options: { json?: boolean }): Promise<void> {
  const context = openContext(dir);
  const rows = [];
  for (const sighting of await sightings(context)) rows.push(await rowOf(context, sighting));
  if (options.json === true) return printJson({ recurring: rows });
  if (rows.length === 0) return print('no templates; put task files with every: or cron: into queue/recurring/');
  const pit = await livePit(context);
  const now = context.clock.wallMs();
  const cells = rows.map((row) => [row.name, row.schedule ?? '', nextText(row, now), row.last === undefined ? '' : `${row.last.id} ${row.last.state}`, row.problem === undefined ? '' : show(`${row.file}, line ${row.problem.line}: ${row.problem.problem}; ${row.problem.fix}`, 200)]);
  print(table([['NAME', 'SCHEDULE', 'NEXT', 'LAST', ''], ...cells], (cell, column, index) => (index === 0 ? paint('dim', cell) : column === 4 ? paint('red', cell) : cell)));
  if (pit === undefined) print('no pit is running, so nothing is made of them; start it with: snakepit up');
}

function nextText({ nextDueAt, zone, problem }: Row, now: number): string {
  if (problem !== undefined) return 'refused';
  if (nextDueAt === undefined) return 'not seen by a pit yet';
  if (nextDueAt >= NEVER) return 'never';
  return `${localTime(zone ?? 'UTC', nextDueAt)} (${nextDueAt <= now ? 'due' : `in ${formatDuration(nextDueAt - now)}`})`;
}

/** Makes an instance of a template now; its schedule goes on as before. Prints its id. */
export async function runRecurring(dir: string | undefined, asked: string, options: { json?: boolean }): Promise<void> {
  const context = openContext(dir);
  const { files, layout, clock } = context;
  const { maxTaskBytes } = await readConfig(context);
  const all = await sightings(context);
  const good = all.flatMap((one) => (one.kind === 'good' ? [one.template] : []));
  const template = good.find((one) => one.name === asked || one.file === asked);
  if (template === undefined) {
    const bad = all.find((one) => one.kind === 'refused' && (one.name === asked || one.file === asked));
    if (bad?.kind === 'refused') throw new CliError(`${bad.file.startsWith(SETTING) ? `snakepit.yaml:${bad.fault.line}` : `queue/recurring/${bad.file}:${bad.fault.line}`}: ${bad.fault.problem}; ${bad.fault.fix}`, EXIT.badTask);
    throw new CliError(`no template is called ${show(asked)}; see: snakepit recurring`, EXIT.notFound);
  }
  if ((await livePit(context)) === undefined) await clearStaged(context, layout);
  const until = clock.monoMs() + 10_000;
  for (;;) {
    const applied = await once();
    if (applied.kind === 'made') {
      if (options.json === true) return printJson({ id: applied.id });
      return print(applied.id);
    }
    if (applied.kind === 'not-made') throw new CliError(applied.why, EXIT.badTask);
    if (clock.monoMs() > until) throw new CliError('the intake has been busy for 10 s; try again', EXIT.busy);
    await clock.sleep(10);
  }

  async function once(): Promise<Applied> {
    if (template === undefined) return { kind: 'busy' };
    const record = await readRecord(files, layout, template.name);
    const unfinished = decideUnfinished(record);
    if (unfinished !== undefined) {
      await applyRecurring(context, layout, template, record, unfinished, maxTaskBytes);
      return { kind: 'busy' };
    }
    const last = await lookAtLast(files, layout, record);
    if (last.kind === 'open') throw new CliError(`${last.id} is ${stateWord(last.state)}: one instance at a time; end it first, or: snakepit cancel ${last.id}`, EXIT.busy);
    const work = await template.work?.(undefined);
    if (work?.kind === 'nothing') throw new CliError(`${template.name} has nothing to do: ${work.evidence}`, EXIT.notFound);
    const action = decideByHand(template, record, last, clock.wallMs());
    return action === undefined ? { kind: 'busy' } : applyRecurring(context, layout, template, record, action, maxTaskBytes);
  }
}
