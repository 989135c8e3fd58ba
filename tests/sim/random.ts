import { randomFrom } from '../rig/random.js';

/** A seeded source of choices: the same seed gives the same schedule. */
export class Random {
  /** 0 ≤ x < 1. */
  readonly next: () => number;

  constructor(seed: number) {
    this.next = randomFrom(Math.imul(seed, 0x9e3779b1) ^ 0x5bf03635);
    this.next();
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** low ≤ n ≤ high. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.next() * items.length)] as T;
  }
}
