import { join } from 'node:path';
import type { Layout } from '../protocol/layout.js';
import { placesOf } from '../protocol/resident-places.js';
import type { Phase, Run } from './state.js';

/** The run that a phase is about. */
export const runOf = (phase: Phase): Run | undefined => (phase.kind === 'launching' || phase.kind === 'up' || phase.kind === 'ending' ? phase.run : undefined);

export const runDirOf = (layout: Layout, name: string, { nonce }: Pick<Run, 'nonce'>): string => join(placesOf(layout, name).runs, nonce);

/** What the processes of a run bear in SNAKEPIT_CLAIM. No task's marker looks like it: those have three parts. */
export const residentMarker = (name: string, { nonce }: Pick<Run, 'nonce'>): string => `resident-${name}~${nonce}`;

/** The run's session in the pit's tmux. */
export const residentSession = (name: string, { nonce }: Pick<Run, 'nonce'>): string => `resident-${name}-${nonce}`;

/** The claim's file, as the launcher looks for it. */
export const claimFile = (layout: Layout, name: string, run: Pick<Run, 'nonce'>): string => join(placesOf(layout, name).claims, `run~${residentMarker(name, run)}~claim`);

/** The nonce in a claim file's name. */
export const nonceOf = (file: string): string | undefined => /^run~resident-[a-z][a-z0-9-]*~([0-9a-z]{10})~claim$/.exec(file)?.[1];
