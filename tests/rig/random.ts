/** A seeded source of choices (mulberry32), 0 ≤ x < 1: the same seed gives the same ones, on every machine. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Some of them, in another order. */
export const drawnFrom = <T>(all: readonly T[], random: () => number, count: number): T[] => all.map((one) => ({ one, draw: random() })).sort((a, b) => a.draw - b.draw).slice(0, count).map(({ one }) => one);
