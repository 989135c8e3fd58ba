/** When a template becomes a task, as its front matter says it; not yet judged. */
export interface Recurrence {
  readonly everyMs: number | undefined;
  /** Five fields. */
  readonly cron: string | undefined;
  /** A time zone's IANA name; undefined: the system's. */
  readonly tz: string | undefined;
  /** Whether a time that passed while no pit ran is made up for, once. */
  readonly catchUp: boolean;
}
