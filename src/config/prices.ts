import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Price } from './config.js';

const perMillion = z.number().min(0).max(1_000_000).optional();

/** A YAML date is text in the core schema. */
const day = z.string().regex(/^\d{4}-\d\d-\d\d$/, 'is not a day: write it as 2026-12-01').refine((text) => !Number.isNaN(Date.parse(`${text}T00:00Z`)), 'is not a day: write it as 2026-12-01');

const price = z.strictObject({
  model: z.string().min(1).max(200),
  account: z.string().min(1).max(200).optional(),
  from: day.optional(),
  input: perMillion,
  output: perMillion,
  'cache-read': perMillion,
  'cache-write': perMillion,
  source: z.string().max(500).default('snakepit.yaml'),
});

export const pricesSchema = z
  .array(price)
  .max(1000)
  .default([])
  .describe('What tokens cost, in US dollars per million; beats the list that comes with snakepit. A list of {model, account, from, input, output, cache-read, cache-write, source}: model and account may hold *.');

/** One price as the file has it, with the defaults in. */
export type PriceConfig = z.output<typeof price>;

const toPrice = (one: PriceConfig): Price => ({
  model: one.model,
  account: one.account,
  fromMs: one.from === undefined ? 0 : Date.parse(`${one.from}T00:00Z`),
  input: one.input,
  output: one.output,
  cacheRead: one['cache-read'],
  cacheWrite: one['cache-write'],
  source: one.source,
});

const SHIPPED = new URL('../../prices.yaml', import.meta.url);

/** The list that comes with snakepit; a fault in it is ours and throws. Where the file is gone nothing is priced. */
const shipped = (): Price[] => (existsSync(SHIPPED) ? pricesSchema.parse(parse(readFileSync(SHIPPED, 'utf8'), { schema: 'core' })).map(toPrice) : []);

/** A person's own prices, then the shipped ones: the first list that fits decides. */
export const allPrices = (own: readonly PriceConfig[]): Price[][] => [own.map(toPrice), shipped()];
