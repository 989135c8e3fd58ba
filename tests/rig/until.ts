const STEP_MS = 10;

/** Waits for something to become true, and says what it was when it never did. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, deadlineMs: number): Promise<void> {
  const startedAt = performance.now();
  while (!(await condition())) {
    if (performance.now() - startedAt > deadlineMs) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  }
}
