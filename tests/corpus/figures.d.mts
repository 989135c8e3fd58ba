import type { z } from 'zod';
import type { classifyScreen, ScreenState } from '../../src/agents/screen.js';
import type { screenPart } from '../../src/agents/profile.js';

export interface Screen {
  readonly name: string;
  readonly group: string;
  readonly program: string;
  readonly title: string;
  readonly text: string;
  readonly dead: boolean;
  readonly labels: readonly (keyof typeof RIGHT)[];
}

export interface Judged {
  readonly name: string;
  readonly group: string;
  readonly labels: readonly string[];
  readonly state: ScreenState;
}

export interface Figures {
  readonly right: number;
  readonly total: number;
  readonly programs: Readonly<Record<string, { readonly right: number; readonly total: number; readonly ruled: boolean }>>;
  readonly wrong: readonly Judged[];
  readonly quietly: readonly Judged[];
  readonly limited: readonly Judged[];
}

export type ScreenProfiles = Record<string, z.output<typeof screenPart>>;

export declare const RIGHT: Readonly<Record<string, readonly string[]>>;
export declare function screens(): Screen[];
export declare function screenProfiles(schema: typeof screenPart): ScreenProfiles;
export declare function figures(classify: typeof classifyScreen, profiles: ScreenProfiles, corpus?: readonly Screen[], nowMs?: number): Figures;
