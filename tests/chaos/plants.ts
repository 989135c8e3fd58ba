import { QUIET_GIT, QUIET_TMUX, type SoakOptions } from './soak.js';

/** A fault in the built code, the run that makes its window certain, and what the ledger then says. */
export interface Plant {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  readonly options: Omit<SoakOptions, 'seed'>;
  readonly finds: RegExp;
}

const SMALL = { tasks: 24, snakes: 4, rate: 50, minutes: 3, tmux: QUIET_TMUX, git: QUIET_GIT, delays: { share: 0, ms: 0 } } as const;
/** All work for long enough that a second attempt meets the first, on the slowest machine; the first meeting ends the run. */
const long: SoakOptions['habit'] = (plan) => ({ ...plan, habit: 'well', leaves: 'nothing', work: 'none', seconds: 60 });
const LONG = { ...SMALL, tasks: 8, rate: 100, monkey: { 'kill-all-reap': 1 }, habit: long, endAtViolation: true } as const;
/** All work in worktrees and are merged, and whoever moved a branch dies right after it as often as not. */
const MERGED = { ...SMALL, tasks: 12, rate: 10, monkey: { 'kill-cleanup': 1 }, merge: 'squash', git: { ...QUIET_GIT, killsMover: 450 }, habit: (plan) => ({ ...plan, habit: 'well', leaves: 'nothing', seconds: 0, work: 'own' }) } as const satisfies Plant['options'];
/** So that some end between two deeds. */
const brief: SoakOptions['habit'] = (plan) => ({ ...plan, habit: 'well', leaves: 'nothing', work: 'none', seconds: 1 });

export const PLANTS: Readonly<Record<string, Plant>> = {
  'requeue without killing': {
    // In the reaper alone it is mended by the orphan hunter of the next pit, before that pit claims anything.
    file: 'agents/end-session.js', find: 'const killed = new Set();', replace: "return { kind: 'gone', killed: 0 };",
    options: LONG, finds: /two at once/,
  },
  'a loss is not counted': {
    file: 'protocol/judge.js', find: 'losses: counters.losses + 1', replace: 'losses: counters.losses',
    options: { ...SMALL, monkey: { 'kill-session': 1 }, habit: brief }, finds: /moved the counters/,
  },
  'launched without the guard that lets it start once': {
    file: 'agents/launcher.js', find: 'mkdir "$RUN/started" 2>/dev/null || { rm -f "$RUN/.session.$$"; exit 0; }', replace: 'mkdir "$RUN/started" 2>/dev/null',
    options: { ...SMALL, monkey: { 'kill-cleanup': 1 }, tmux: { ...QUIET_TMUX, launchesTwice: 1000 }, habit: brief, endAtViolation: true }, finds: /two at once|started twice/,
  },
  'no look at the claim once launched': {
    file: 'agents/launcher.js', find: 'until claimed; do', replace: 'until true; do',
    options: { ...LONG, tmux: { ...QUIET_TMUX, launchesLate: 1000, late: 'overtaken' } }, finds: /two at once/,
  },
  'check, then publish': {
    file: 'queue/directory-store.js', find: "(await files.rename(claim.file, target)) === 'missing'",
    replace: "(await files.read(claim.file)) === undefined || (await files.write(target, await files.read(claim.file)), await files.remove(claim.file), false)",
    options: { ...SMALL, monkey: { 'kill-cleanup': 1 }, rate: 10, dieAfter: '/queue/done/task-[^./]+\\.md$', habit: brief }, finds: /calls itself|was the last|is left in|should not be/,
  },
  'a commit that was recorded and merged is not looked for': {
    file: 'snake/integrate.js', find: 'candidate: record.candidate,', replace: 'candidate: undefined,',
    options: MERGED, finds: /was merged \d+ times, not 1/,
  },
  'a look at the branch that failed counts as no change': {
    file: 'snake/integrate.js', find: "if (typeof changes === 'string')", replace: "if (typeof changes === 'string') return write(ports, dir, { ...record, end: { kind: 'nothing' } });\n    if (typeof changes === 'string')",
    options: { ...MERGED, git: { ...QUIET_GIT, fails: 80 } }, finds: /was merged 0 times, not 1/,
  },
};
