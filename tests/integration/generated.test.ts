import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { generated } from '../../docs/generated.mjs';
import { EVENT_KINDS, fieldsOf } from '../../src/events/fields.js';
import { FIELD_MEANING } from '../../src/events/meaning.js';
import { call, sh, withPit } from './rig.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const hasMan = spawnSync('man', ['--version']).status === 0;

describe('what is made from the code', () => {
  it('each file is what the code says: else run npm run generate', async () => {
    for (const [file, text] of await generated()) expect([file, fs.readFileSync(`${ROOT}${file}`, 'utf8') === text]).toEqual([file, true]);
  });

  it('the man page tells every command and option that help tells', async () => {
    const page = (await generated()).find(([file]) => file === 'man/snakepit.1')?.[1] ?? '';
    const plain = page.replaceAll('\\-', '-').replaceAll(/\\f[BIR]/g, '');
    const help = execFileSync(process.execPath, [`${ROOT}bin/snakepit.js`, '--help'], { encoding: 'utf8' });
    const commands = [...help.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map((match) => match[1] ?? '').filter((name) => name !== 'help');
    expect(commands.length).toBeGreaterThan(25);
    for (const name of commands) expect(plain).toContain(`\nsnakepit ${name}`);
    for (const word of ['--install-cron', '--snakes <n>', 'snakepit recurring run', 'SNAKEPIT_DIR', 'timed out']) expect(plain).toContain(word);
    // No line of text is taken for a request of roff.
    for (const line of page.split('\n')) if (line.startsWith('.')) expect(line).toMatch(/^\.(\\"|TH |SH |SS|TP|PP)/);
  });

  it.skipIf(!hasMan)('man shows it without a warning', () => {
    const shown = spawnSync('man', ['--warnings', '-E', 'UTF-8', '-l', '-Tutf8', `${ROOT}man/snakepit.1`], { encoding: 'utf8', env: { ...process.env, MANWIDTH: '100', PAGER: 'cat', MANPAGER: 'cat' } });
    expect([shown.status, shown.stderr]).toEqual([0, '']);
  });

  it('the schema of events tells every kind and field of the code, each with its meaning', async () => {
    const schema = await schemaOf();
    expect(schema.oneOf.map((one) => one.properties['kind']?.const).sort()).toEqual([...EVENT_KINDS].sort());
    for (const one of schema.oneOf) {
      const kind = String(one.properties['kind']?.const);
      expect([kind, Object.keys(one.properties).sort()]).toEqual([kind, ['v', 'at', 'kind', ...(fieldsOf(kind) ?? [])].sort()]);
      for (const name of fieldsOf(kind) ?? []) expect([kind, name, (FIELD_MEANING[name] ?? '') !== '']).toEqual([kind, name, true]);
    }
  });

  it('what a real pit writes is as the schema says; --kind, --task, --since and --schema', () =>
    withPit({}, async (pit) => {
      const schema = await schemaOf();
      await call(pit, ['add', '--id', 'well', '-'], { input: sh('true') });
      await call(pit, ['add', '--id', 'ill', '-'], { input: `---\nattempts: 1\n---\n${sh('exit 3')}` });
      await pit.ok('up', '-n', '1');
      expect((await pit.cli('wait', '--timeout', '90s', '--quiet')).code).toBe(1);
      await pit.ok('down');
      const all = lines(await pit.ok('events', '--json'));
      expect(new Set(all.map((one) => one['kind']))).toContain('task-done');
      for (const event of all) expect([event, faults(schema, event)]).toEqual([event, []]);
      expect(faults(schema, { v: 1, at: 5, kind: 'task-held' })).toEqual(['id is missing']);
      const ends = lines(await pit.ok('events', '--json', '--kind', 'task-d*', 'task-failed'));
      expect(ends.map((one) => [one['kind'], one['id']]).sort()).toEqual([['task-done', 'well'], ['task-failed', 'ill']]);
      const about = lines(await pit.ok('events', '--json', '--task', 'ill'));
      expect(about.length).toBeGreaterThan(3);
      expect(about).toEqual(all.filter((one) => one['id'] === 'ill' || String(one['marker'] ?? '').startsWith('ill~')));
      expect(await pit.ok('events', '--since', '2999-01-01')).toBe('');
      expect(JSON.parse(await pit.ok('events', '--schema'))).toEqual(schema);
      const slip = await pit.cli('events', '--kind', 'task-doen');
      expect([slip.code, slip.stderr]).toEqual([64, 'snakepit: no event is of the kind task-doen; did you mean task-done?\n']);
    }), 240_000);
});

interface Part {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
}
interface Schema {
  readonly oneOf: readonly { readonly properties: Readonly<Record<string, Part>>; readonly required: readonly string[] }[];
}

const schemaOf = async (): Promise<Schema> => JSON.parse((await generated()).find(([file]) => file === 'docs/events.schema.json')?.[1] ?? '') as Schema;
const lines = (text: string): Record<string, unknown>[] => text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>);

/** What of an event is not as the schema says: as much of JSON Schema as the schema uses. */
function faults(schema: Schema, event: Readonly<Record<string, unknown>>): string[] {
  const one = schema.oneOf.find(({ properties }) => properties['kind']?.const === event['kind']);
  if (one === undefined) return [`no kind ${String(event['kind'])}`];
  const missing = one.required.filter((name) => event[name] === undefined).map((name) => `${name} is missing`);
  const unknown = Object.keys(event).filter((name) => one.properties[name] === undefined).map((name) => `${name} is not in the schema`);
  const wrong = Object.entries(one.properties).filter(([name, part]) => {
    const value = event[name];
    return value !== undefined && ((part.type !== undefined && typeof value !== part.type) || (part.const !== undefined && value !== part.const) || (part.enum !== undefined && !part.enum.includes(value)));
  });
  return [...missing, ...unknown, ...wrong.map(([name]) => `${name} is of another type`)];
}
