/** A broken invariant of ours, never a user's mistake; the process that meets one dies and is restarted. */
export class InvariantError extends Error {
  constructor(message: string) {
    super(`Internal error: ${message}`);
  }
}

/** The last arm of an exhaustive switch: adding a member to the union breaks the build here. */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable value ${JSON.stringify(value)}`);
}
