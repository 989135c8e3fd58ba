/** How old facts are whose instants lie on disk, by a clock that neither sleeps nor jumps. One for each claim that is worked. */
export class Ages {
  private readonly seen = new Map<string, { readonly at: number; readonly ageMs: number; readonly monoMs: number }>();

  /** `at`: wall clock, milliseconds. What was here before us has the age that the wall clock gives it at the first look, and grows by the monotonic clock from then on. */
  of(fact: string, at: number, now: { readonly wallMs: number; readonly monoMs: number }): number {
    let first = this.seen.get(fact);
    if (first?.at !== at) this.seen.set(fact, (first = { at, ageMs: Math.max(0, now.wallMs - at), monoMs: now.monoMs }));
    return first.ageMs + now.monoMs - first.monoMs;
  }
}
