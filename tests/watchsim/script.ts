/*
 * What a scripted session does, as data: by attempt, by turn, by step; the last attempt, and its last turn, repeat. A text that is typed
 * begins the next turn, at once or when this one ends. All times are virtual milliseconds.
 */
export type Step =
  /** At work: an event each `every` (default 20 s). */
  | { readonly works: number; readonly every?: number }
  /** In the middle of a turn, without a sign but its spinner. `heeds`: a text that is typed brings it back to work. */
  | { readonly silent: number; readonly heeds?: boolean }
  /** A tool call, open and silent; `busy`: the share of a processor that it uses. */
  | { readonly tool: number; readonly busy?: number }
  /** Words on the screen, and the answer of its turn. */
  | { readonly says: string }
  /** A last line of its answer that announces a wait of so long. */
  | { readonly saysItWaits: number }
  /** `snakepit done`, `fail` and `wait-until`. */
  | { readonly done: string }
  | { readonly fails: string }
  | { readonly waits: number }
  /** A permission dialog that stays until somebody chooses. */
  | { readonly asks: string }
  /** A usage limit that is over after so long; `told`: its program says when. */
  | { readonly limit: number; readonly told?: boolean }
  /** Retries a provider that does not answer, for so long. */
  | { readonly retries: number }
  | { readonly auth: true }
  | { readonly contextFull: true }
  /** Prints without a stop and records nothing. */
  | { readonly floods: number }
  /** The program ends with this status; or it and all that belongs to it is killed. */
  | { readonly exits: number }
  | { readonly vanishes: true }
  /** Paints nothing and records nothing, for ever. */
  | { readonly mute: true };

export type Turn = readonly Step[];
export type Script = readonly Turn[];

export const seconds = (count: number): number => count * 1000;
export const minutes = (count: number): number => count * 60_000;
export const hours = (count: number): number => count * 3_600_000;

/** Longer than any scenario. */
export const FOR_EVER = hours(1000);
