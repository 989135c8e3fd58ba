import type { Profiles } from '../agents/choice.js';
import type { EventSink } from '../events/event-log.js';
import { systemGit } from '../git/run.js';
import type { Layout } from '../protocol/layout.js';
import { withHooks } from './hook-outlet.js';
import { outletOf, type OutletPorts } from './outlet.js';
import { newRoundMemory, ring, type RoundMemory, type RoundSetting } from './round.js';

export interface BellPorts extends OutletPorts {
  readonly events: EventSink;
  readonly log: { warn(message: string, fields?: object): void };
}

export interface BellMemory {
  readonly round: RoundMemory;
  /** The round that is under way. */
  ringing: Promise<void> | undefined;
}

export const newBellMemory = (): BellMemory => ({ round: newRoundMemory(), ringing: undefined });

const git = systemGit(process.env);

/** Begins a round unless one is under way. The tick does not wait for it: git on a slow disk takes seconds. Never throws. `spent`: which budget is, where one is: no resident is typed at then. */
export function ringBell(ports: BellPorts, profiles: Profiles, setting: RoundSetting & { readonly spent: () => Promise<string | undefined> }, memory: BellMemory): void {
  if (memory.ringing !== undefined || (memory.round.empty && setting.rules.length === 0)) return;
  const { layout } = setting;
  const warn = (message: string, fields: object): void => ports.log.warn(message, fields);
  memory.ringing = unlessRemoved(ports, layout, () => ring({ ...ports, git, outlet: withHooks(outletOf(ports, layout, profiles, setting.spent), { files: ports.files, layout, env: process.env, tell: (text, bell) => ports.tmux.tell(text, bell) }, setting.rules), warn }, setting, memory.round))
    .catch((cause: unknown) => warn('a round of pings broke off', { why: cause instanceof Error ? cause.message : String(cause) }))
    .finally(() => (memory.ringing = undefined));
}

/** A directory that is being removed under us is not made anew. */
async function unlessRemoved({ files }: BellPorts, layout: Layout, act: () => Promise<void>): Promise<void> {
  if (await files.exists(layout.pitId)) await act();
}
