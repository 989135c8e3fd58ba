import { z } from 'zod';

/** As ledger/budget.ts reads them: this room knows no other. */
const TOKENS = /^\d{1,12}(\.\d{1,6})?[kKM]?$/;

const NO_TOKENS = 'is not a number of tokens: write 2000000, 500k or 2M';

const limits = (whose: string) =>
  z
    .strictObject({
      tokens: z.union([z.number().int().min(0), z.string().regex(TOKENS, NO_TOKENS)], NO_TOKENS).optional().describe('All tokens, those of the cache included: 500k, 2M.'),
      money: z.number().min(0).max(1_000_000).optional().describe('US dollars, by the list of prices. Money that is unknown is not counted.'),
      minutes: z.number().min(0).max(10_000_000).optional().describe('Minutes that sessions ran.'),
    })
    .prefault({})
    .describe(whose);

/** `budget:` of snakepit.yaml. */
export const budgetSchema = z
  .strictObject({
    day: limits('Of each day (this machine\'s time zone), all tasks together; at the limit nothing more is claimed until the next one.'),
    task: limits('Of each task that does not say otherwise, all its attempts together; at the limit it is parked in needs/.'),
    pit: limits('Of all that the ledger holds; at the limit nothing more is claimed until it is raised.'),
  })
  .prefault({})
  .describe('Limits on what may be used; none where they are left out. See docs/tokens.md.');

/** Limits as the file has them. */
export type LimitsConfig = z.output<ReturnType<typeof limits>>;
