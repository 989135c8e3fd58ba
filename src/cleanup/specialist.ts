import type { CleanupPorts, CleanupSetting } from './ports.js';

export const SPECIALISTS = ['reaper', 'orphans', 'reconciler', 'sweeper', 'salvager', 'pruner', 'archivist', 'composter', 'log-keeper'] as const;
export type SpecialistName = (typeof SPECIALISTS)[number];

/** One line of the plan that a dry run prints and a run carries out. Plain data: printed twice it is the same, byte for byte. */
export interface Step {
  readonly specialist: SpecialistName;
  /** "refuse": something is wrong, and only a person may mend it. */
  readonly kind: 'act' | 'keep' | 'refuse';
  /** One word for a person. */
  readonly verb: string;
  /** A task's id, a path below the pit's directory, a process. */
  readonly subject: string;
  readonly rule: string;
  readonly evidence: string;
  /** What carrying it out names: a file, a marker. Checked anew in that moment. */
  readonly target: string;
}

/** What became of one step. "gone": it was not needed any more, or somebody else was faster, which is the protocol working. */
export interface Applied {
  readonly specialist: SpecialistName;
  readonly subject: string;
  readonly kind: 'done' | 'gone' | 'refused';
  readonly told: string;
}

/** One small cleaner. Planning only looks; every step checks its own precondition again when it is applied, and may be repeated after a crash. */
export interface Specialist {
  readonly name: SpecialistName;
  /** For --help. */
  readonly does: string;
  plan(ports: CleanupPorts, setting: CleanupSetting): Promise<Step[]>;
  apply(ports: CleanupPorts, setting: CleanupSetting, step: Step): Promise<Applied>;
}
