/** Whose work a commit is, for its message. */
export interface Credits {
  readonly id: string;
  readonly title: string;
  /** Undefined: the task has none. */
  readonly workflow?: string | undefined;
  /** "Name <mail>", as configured. */
  readonly coAuthors: readonly string[];
}

/** One line of printable text; nothing of a task's title can become a trailer or a comment. */
// oxlint-disable-next-line no-control-regex -- control characters are what is taken out
const plain = (text: string, most: number): string => [...text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ').trim()].slice(0, most).join('');

/** Pure: the trailers by which a commit is known to be a task's. */
export const trailers = ({ id, workflow, coAuthors }: Credits): string => [`Snakepit-Task: ${id}`, ...(workflow === undefined ? [] : [`Snakepit-Workflow: ${plain(workflow, 80)}`]), ...coAuthors.map((one) => `Co-authored-by: ${plain(one, 200)}`)].join('\n');

/** Pure: one line for a person. */
export const titleOf = (credits: Credits): string => plain(credits.title === '' ? credits.id : credits.title, 72);

/** Pure: what a pull request says below its title. */
export const bodyOf = (credits: Credits): string => `The work of the task ${credits.id}.\n\n${trailers(credits)}\n`;

/** Pure: the message of a commit that snakepit makes. */
export const messageOf = (credits: Credits, verb: 'Merge' | 'Squash'): string => `${verb === 'Merge' ? `Merge task ${credits.id}: ` : ''}${titleOf(credits)}\n\n${trailers(credits)}\n`;

/** Pure: a commit's own message with the trailers below it. */
export const withTrailers = (message: string, credits: Credits): string => `${message.trimEnd()}${/\n[A-Za-z-]+: [^\n]*$/.test(message.trimEnd()) ? '\n' : '\n\n'}${trailers(credits)}\n`;
