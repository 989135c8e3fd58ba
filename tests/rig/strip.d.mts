/** Takes the types out of these directories of the repository (`src`, `tests/sim`); returns where the result lies, for the caller to remove. */
export function strip(parts: readonly string[]): string;
