const STEP_MS = 10;

/** Waits for something to become true, and says what it was when it never did. `restMs`: between looks, at most; it grows to that. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, deadlineMs: number, restMs = STEP_MS): Promise<void> {
  const startedAt = performance.now();
  let stepMs = STEP_MS;
  while (!(await condition())) {
    if (performance.now() - startedAt > deadlineMs) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, stepMs));
    stepMs = Math.min(restMs, stepMs + 1);
  }
}
