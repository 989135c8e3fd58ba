import type { Core } from './headless.js';

/*
 * What is known of each program for each mode, provider's failure and way to die is too much to be played every time: the programs take
 * seconds to start. `npm run agents` (SNAKEPIT_AGENTS=all) plays the whole; else a fixed sample, in which each program, each failure in
 * each mode, and each way to die occurs.
 */

const WHOLE = (process.env['SNAKEPIT_AGENTS'] ?? '').split(',').includes('all');

export const CORE: readonly Core[] = ['claude', 'codex', 'gemini', 'opencode', 'pi'];

/** All of them, or those of the sample. */
export const sampled = <T>(whole: readonly T[], sample: readonly T[]): readonly T[] => (WHOLE ? whole : sample);

export type Mode = 'headless' | 'interactive';

/** A third of the cases for each program, another third in its other mode; three neighbours in CORE have them all. */
export const thirdOf = <T>(cases: readonly T[], name: Core, mode: Mode): readonly T[] => cases.filter((_, place) => (place + CORE.indexOf(name) + (mode === 'interactive' ? 2 : 0)) % 3 === 0);
