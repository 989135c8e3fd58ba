import { err, ok, type Result } from '../lib/result.js';
import { show } from '../lib/text.js';
import type { TaskFault } from '../protocol/front-matter.js';
import { parseTemplate, type ParsedTemplate } from '../protocol/parse-task.js';
import { idFromFileName } from '../protocol/task-id.js';
import { checkTask } from '../queue/intake.js';
import { instanceId, localTime, LONGEST_NAME } from './local-time.js';
import { readSchedule, type Schedule } from './schedule.js';
import { SETTING, type Work } from './state.js';

/** A template that was found good. */
export interface Template {
  /** Its `id:`, else made from its file's name: the first part of its instances' ids. */
  readonly name: string;
  /** Below queue/recurring/, fit for a terminal. */
  readonly file: string;
  readonly schedule: Schedule;
  readonly catchUp: boolean;
  /** The task file of the instance of a due time; `since`: what is older was the matter of an earlier one. */
  readonly instance: (id: string, dueAt: number, since?: number) => string | Promise<string>;
  /** Asked when it is due, where an instance may have nothing to do. */
  readonly work?: (since: number | undefined) => Promise<Work>;
}

/** As its text alone gives it. */
export interface LoadedTemplate extends Template {
  readonly instance: (id: string, dueAt: number) => string;
}

/** What its instances do not take over. */
const OWN_KEYS = ['id', 'every', 'cron', 'tz', 'catch-up'];

/** Reads and judges a template, its instances included: what the intake would refuse at night is refused now. */
export async function loadTemplate(bytes: Uint8Array, fileName: Buffer, limits: { readonly maxTaskBytes: number; readonly zone: string }, file = show(fileName.toString('utf8'))): Promise<Result<LoadedTemplate, TaskFault>> {
  if (bytes.length > limits.maxTaskBytes) return err({ line: 1, problem: `larger than ${limits.maxTaskBytes} bytes`, fix: 'put data into files and name them under inputs:, or raise max-task-bytes' });
  const parsed = await parseTemplate(bytes);
  if (!parsed.ok) return parsed;
  const { spec, keys } = parsed.value;
  const schedule = readSchedule(parsed.value, limits.zone);
  if (!schedule.ok) return schedule;
  if (keys.has('at')) return err({ line: keys.get('at')?.from ?? 1, problem: 'at: names one time, and a template comes again and again', fix: 'remove it; every: or cron: says when' });
  const name = spec.id ?? idFromFileName(fileName);
  if (name.length > LONGEST_NAME) return err({ line: keys.get('id')?.from ?? 1, problem: `its name ${name} is longer than ${LONGEST_NAME} letters: its instances' ids would not fit`, fix: 'rename the file, or give it a shorter id:' });
  const { zone } = schedule.value;
  const instance = (id: string, dueAt: number): string => instanceText(parsed.value, id, `made from ${file.startsWith(SETTING) ? file : `queue/recurring/${file}`}, due ${localTime(zone, dueAt)}`);
  const tried = await checkTask(Buffer.from(instance(instanceId(name, 0, zone), 0)), limits.maxTaskBytes);
  if (!tried.ok) return err({ ...tried.error, problem: `its instances would be refused: ${tried.error.problem}` });
  return ok({ name, file, schedule: schedule.value, catchUp: parsed.value.recurrence.catchUp, instance });
}

/** The template without the keys that are its own, with the instance's id in their place. */
function instanceText({ split, keys }: ParsedTemplate, id: string, origin: string): string {
  const own = OWN_KEYS.flatMap((key) => keys.get(key) ?? []);
  const kept = (split.head ?? '').split('\n').filter((_line, index) => !own.some(({ from, to }) => index + split.headLine >= from && index + split.headLine <= to));
  return ['---', `id: ${id}`, `# ${origin}`, ...kept.filter((line) => line.trim() !== ''), '---', split.body].join('\n');
}
