import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { turns } from '../rig/in-turn.js';
import { cleanMutants, plantProgram } from '../rig/mutants.js';
import { drawnFrom, randomFrom } from '../rig/random.js';
import { TEST_SEED as SEED } from '../rig/seed.js';
import { DRAWN, PARTS, SWEEPS } from './crash-matrix.js';
import type { ActorName } from './crash/actors.js';
import { operations, play } from './crash/play.js';
import type { Stop } from './crash/stage.js';
import { renderFailureModel } from './crash/failure-model.js';

/*
 * The crash matrix, played: real programs, real tmux on sockets of their own, real files, each case in a directory of its own.
 *
 *   npm run crash-matrix        every operation of every sweep
 *   TEST_SEED=drawn             another sample; its number repeats it
 *   CRASH_DIST=<a build>        another build, such as one with a fault in it
 *   KEEP_PIT=1                  leaves the directories for a look
 */

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const ALL = (process.env['CRASH_ALL'] ?? '') !== '';
const DIST = process.env['CRASH_DIST'];
/** Many cases wait for their turn: the time of one is no matter of how long it takes itself. */
const TURN_MS = ((process.env['CRASH_ALL'] ?? '') === '' ? 30 : 300) * 60_000;
/** Two at a time, for two cores. */
const inTurn = turns(2);

it('what other tests play is played there', () => {
  for (const { run } of PARTS.flatMap(({ rows }) => rows)) if (run.kind === 'elsewhere') expect(fs.readFileSync(join(ROOT, run.file), 'utf8')).toContain(run.title);
});

it('docs/failure-model.md is what the table renders (npm run failure-model)', () => {
  expect(fs.readFileSync(join(ROOT, 'docs', 'failure-model.md'), 'utf8')).toBe(renderFailureModel(PARTS, SWEEPS, DRAWN));
});

for (const part of PARTS.filter(({ rows }) => rows.some(({ run }) => run.kind !== 'elsewhere'))) {
  describe(part.title, () => {
    for (const { dies, run } of part.rows) {
      if (run.kind === 'elsewhere') continue;
      it.concurrent(dies, { timeout: TURN_MS }, () =>
        inTurn(async () => {
          const { died, faults, found } = await play(run.actor, run.kind === 'stop' ? run.stop : undefined, DIST);
          expect({ died, faults, found }).toEqual({ died: run.kind === 'stop', faults: [], found: { counters: run.counters, starts: run.starts ?? found.starts } });
        }));
    }
  });
}

/** Every way to die at these operations: after each, and with half of each text written; `full`: also a disk that is full from it on. Before the first is where nothing was done. */
const stopsOf = (operated: readonly string[], full: boolean): Stop[] => operated.flatMap((what, index): Stop[] => [...(/^(write|append) /.test(what) ? [{ when: 'half', at: index + 1 } as const] : []), ...(full && /^(write|append|create|mkdir) /.test(what) ? [{ when: 'full', at: index + 1 } as const] : []), { when: 'after', at: index + 1 }]);

const drawn = new Set(drawnFrom(SWEEPS.filter(({ ci }) => ci === 'drawn').map(({ actor }) => actor), randomFrom(SEED), DRAWN));

describe(`every operation in turn (seed ${SEED})`, () => {
  for (const [place, { actor, title, ci, full }] of SWEEPS.entries()) {
    if (ci === 'drawn' && !ALL && !drawn.has(actor)) continue;
    const sample = ci === 'all' || ALL ? undefined : ci === 'drawn' ? 1 : ci;
    it.concurrent(`${title}${sample === undefined ? '' : `: ${sample} of them`}`, { timeout: TURN_MS }, async () => {
      const operated = await inTurn(() => operations(actor, DIST));
      const random = randomFrom(SEED + place);
      const stops = stopsOf(operated, full === true);
      const chosen = sample === undefined ? stops : drawnFrom(stops, random, sample);
      expect(operated.length).toBeGreaterThan(1);
      const faults: string[] = [];
      await Promise.all(chosen.map((stop) => inTurn(async () => {
        const played = await play(actor, stop, DIST);
        for (const fault of played.faults) faults.push(`${stop.when} operation ${stop.at ?? 0} (${operated[(stop.at ?? 1) - 1] ?? ''}): ${fault}`);
      })));
      expect(faults).toEqual([]);
    });
  }
});

/** Faults that the matrix must find: planted in a copy of the built program, and played where they show. `counters`: those of a sound one. */
const MUTANTS: readonly { readonly fault: string; readonly file: string; readonly find: string; readonly replace: string; readonly actor: ActorName; readonly stop?: Stop; readonly counters?: string }[] = [
  { fault: 'a claim is requeued without ending its processes', file: 'cleanup/reaper.js', find: 'const ended = await endSession(', replace: "const ended = { kind: 'gone', killed: 0 }; void (", actor: 'reaper', stop: { when: 'after', op: 'rename queue/claimed/* -> queue/reaping/*' } },
  { fault: 'a task is moved by copying and removing', file: 'lib/node-files.js', find: 'fs.renameSync(from, to);', replace: 'fs.statSync(from).isFile() ? (fs.copyFileSync(from, to), fs.unlinkSync(from)) : fs.renameSync(from, to);', actor: 'drops', stop: { when: 'after', op: 'copy queue/x.md -> *' } },
  { fault: 'a record is written in its place', file: 'lib/node-files.js', find: 'const beside = join(dirname(path), temporaryName(basename(path), linuxProcesses.self(), newNonce()));', replace: "const beside = path; fs.rmSync(path, { force: true });", actor: 'snake', stop: { when: 'half', op: 'write queue/done/x.result.md' } },
  { fault: 'what the attempt recorded is not rolled forward', file: 'cleanup/reaper.js', find: 'const before = await readOutcome(files, base);', replace: 'const before = undefined;', actor: 'snake-reaped', stop: { when: 'after', op: 'rename * -> .snakepit/runs/x/*/outcome.json' }, counters: '0.0.0' },
  { fault: 'the old story is put away only after its task has moved', file: 'queue/intake.js', find: "await putAwayStories(ports, layout, planned.value.id);", replace: '', actor: 'rerun', stop: { when: 'after', op: 'rename queue/done/x.md -> *' } },
  { fault: 'nobody knows the checks of a merge by hand', file: 'cli/merging/run.js', find: 'const env = { ...checkEnv(context, config, known, cwd), ...marks };', replace: 'const env = checkEnv(context, config, known, cwd);', actor: 'merge-killed-for-cleanup' },
];

describe('finds what is planted', () => {
  afterAll(cleanMutants);
  for (const { fault, file, find, replace, actor, stop, counters } of MUTANTS) {
    it.concurrent(fault, { timeout: TURN_MS }, () =>
      inTurn(async () => {
        const dist = plantProgram(file, find, replace);
        const { died, faults, found } = await play(actor, stop, dist);
        expect([died, faults.length > 0 || (counters !== undefined && found.counters !== counters)]).toEqual([stop !== undefined, true]);
      }));
  }
});
