/**
 * How a task is worked, as data: ordered steps, each a fresh session, and loops with an end. Read from workflows/*.yaml by src/workflow;
 * a task's options are filled in already, so nothing here changes while the task is worked.
 */
export interface Workflow {
  readonly name: string;
  /** One line, for lists. */
  readonly title: string;
  readonly nodes: readonly Node[];
}

export type Node = StepSpec | LoopSpec | AwaitSpec;

/** Here the task waits until all tasks that it has tossed are done. */
export interface AwaitSpec {
  readonly kind: 'await';
  readonly id: string;
}

/** How the tasks that one has tossed stand. */
export interface Children {
  readonly done: readonly string[];
  readonly failed: readonly string[];
  /** On their way, or gone from the queue. */
  readonly open: readonly string[];
}

/** What a step may do to the tree it works in: "read" fails with any change of it. */
export type Rights = 'read' | 'write';

/** Who sits in a step: the first of the list whose account takes it; empty: whoever the task names. */
export interface Seat {
  readonly agents: readonly string[];
  /** Its REJECT decides, whatever the others say. */
  readonly veto: boolean;
}

/** A file that a step has to leave in the handed directory, with so many whole lines that match. */
export interface Handed {
  readonly file: string;
  readonly line: string | undefined;
  readonly times: number | undefined;
}

export interface StepSpec {
  readonly kind: 'step';
  readonly id: string;
  /** What its session is told, before the task's own words; names variables, never other people's text. */
  readonly prompt: string;
  readonly rights: Rights;
  /** At least one; each is a session of its own, one after the other. */
  readonly seats: readonly Seat[];
  /** Its sessions say PASS or REJECT. */
  readonly verdict: boolean;
  /** How many seats must pass it. */
  readonly pass: 'all' | 'majority' | 'any';
  /** Only agents of other provider accounts than the last session that wrote. */
  readonly otherThanAuthor: boolean;
  readonly mode: 'headless' | 'interactive' | undefined;
  /** Of one session, milliseconds; undefined: the task's. */
  readonly timeoutMs: number | undefined;
  /** In which rounds of its loop it runs. */
  readonly rounds: 'every' | 'first' | 'later';
  readonly hands: readonly Handed[];
  /** What it tosses lies in held/ until a person lets it go. */
  readonly hold?: boolean | undefined;
}

/** What ends a loop, looked at after each of its rounds. */
export type Until =
  | { readonly kind: 'verdict'; readonly steps: readonly string[] }
  | { readonly kind: 'command'; readonly command: string }
  /** One whole line of a handed file matches. */
  | { readonly kind: 'file'; readonly file: string; readonly line: string };

export interface LoopSpec {
  readonly kind: 'loop';
  readonly id: string;
  readonly max: number;
  /** undefined: it goes round as often as `max` says, or once for each item. */
  readonly until: Until | undefined;
  /** One round for each whole line of a handed file that matches; more than `max` of them is too many. */
  readonly each: { readonly file: string; readonly line: string } | undefined;
  readonly nodes: readonly Node[];
}

/** "none": it gave no verdict that counts; `why` says what it gave. Never a pass. */
export type Verdict = { readonly kind: 'pass' } | { readonly kind: 'reject' } | { readonly kind: 'none'; readonly why: string };

/** One session of a step that came to its end. */
export interface StepEnd {
  readonly kind: 'step-ended';
  readonly step: string;
  /** Which of its seats, from 0. */
  readonly seat: number;
  /** Of the innermost loop, from 1. */
  readonly round: number;
  /** Its run directory, below the runs of the task. */
  readonly run: string;
  readonly agent: string;
  readonly account: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly verdict: Verdict | undefined;
  /** What it said last, cut. */
  readonly message: string;
  /** What it did that it may not, or left undone that it has to hand on: the attempt has failed. */
  readonly broke: string | undefined;
}

/** What a person said to rounds that were used up. */
export type Ruling = { readonly kind: 'accept' } | { readonly kind: 'reject'; readonly words: string } | { readonly kind: 'more'; readonly rounds: number; readonly words: string };

/** What happened in a workflow so far, in order: all that the next step is decided from. */
export type FlowEvent =
  | StepEnd
  /** A loop's command or file was looked at after a round. */
  | { readonly kind: 'checked'; readonly loop: string; readonly round: number; readonly held: boolean; readonly evidence: string }
  /** The items of a loop were counted. */
  | { readonly kind: 'counted'; readonly loop: string; readonly items: number }
  /** The children were looked at when all of them had ended. */
  | { readonly kind: 'awaited'; readonly done: number; readonly failed: readonly string[] }
  /** What was finished came back: its checks failed, it could not be merged, or a person does not want it so. `times`: how often it may; `more`: rounds that a person adds. */
  | { readonly kind: 'sent-back'; readonly why: string; readonly times: number; readonly more?: number }
  | { readonly kind: 'ruled'; readonly ruling: Ruling };

/** Where a step stands among the rounds. `of`: the last round of its loop. */
export interface Turn {
  readonly step: string;
  readonly seat: number;
  readonly round: number;
  readonly of: number;
  /** Which item of the nearest loop over items, from 1; undefined outside of one. */
  readonly item: number | undefined;
}

/** What comes next in a workflow, with the rule that says so. */
export type FlowNext =
  | ({ readonly kind: 'step'; readonly rule: string } & Turn)
  | { readonly kind: 'check'; readonly loop: string; readonly round: number; readonly until: Exclude<Until, { kind: 'verdict' }>; readonly rule: string }
  | { readonly kind: 'count'; readonly loop: string; readonly each: NonNullable<LoopSpec['each']>; readonly max: number; readonly rule: string }
  /** It goes on when its children have ended; `without` those that failed and that a person gave up. */
  | { readonly kind: 'await'; readonly without: readonly string[]; readonly rule: string }
  | { readonly kind: 'finished'; readonly rule: string }
  /** The rounds are used up without a pass, or `failed` children have failed: a person rules. */
  | { readonly kind: 'exhausted'; readonly loop: string; readonly rounds: number; readonly rule: string; readonly failed?: readonly string[] }
  /** It came back, and no round is left for it. */
  | { readonly kind: 'spent'; readonly rule: string }
  /** A person rejected it. */
  | { readonly kind: 'rejected'; readonly rule: string }
  /** A step did what it may not, or handed on nothing. */
  | { readonly kind: 'broken'; readonly rule: string };

/** workflow.json of an attempt: one atomic write for each thing that happens. */
export interface FlowRecord {
  readonly v: 1;
  /** The number of the attempt that wrote it. */
  readonly attempt: number;
  /** Wall clock, milliseconds. */
  readonly at: number;
  readonly workflow: Workflow;
  /** The options as the task gave them: with others it begins anew. */
  readonly options: string;
  readonly events: readonly FlowEvent[];
  /** What the events come to. */
  readonly next: FlowNext;
  /** The run directory of the step that runs, or ran last, below the runs of the task; undefined: none has yet. */
  readonly run: string | undefined;
  /** Where the steps leave files for each other. */
  readonly handed: string;
  /** Where they work: kept over the attempts of one task. undefined: the first step makes it. */
  readonly workspace: string | undefined;
}
