import fc from 'fast-check';

/** The property holds for `runs` generated values; a check fails by throwing, whatever it returns. */
export function forAll<T>(values: fc.Arbitrary<T>, check: (value: T) => unknown, runs = 300): void {
  fc.assert(
    fc.property(values, (value) => {
      check(value);
    }),
    { numRuns: runs },
  );
}

export async function forAllAsync<T>(values: fc.Arbitrary<T>, check: (value: T) => Promise<unknown>, runs = 300): Promise<void> {
  await fc.assert(
    fc.asyncProperty(values, async (value) => {
      await check(value);
    }),
    { numRuns: runs },
  );
}
