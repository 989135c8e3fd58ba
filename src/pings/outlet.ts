import { join } from 'node:path';
import type { Profiles } from '../agents/choice.js';
import { asFileRef } from '../agents/deliver/text.js';
import { show } from '../lib/text.js';
import type { Layout } from '../protocol/layout.js';
import { parseClaim } from '../protocol/names.js';
import { RUN_FILES } from '../protocol/records.js';
import { readResident } from '../residents/find.js';
import { readAttempt } from '../runs/run-dir.js';
import { currentRun } from '../runs/steps.js';
import type { Tmux } from '../tmux/server.js';
import { speakTo, type Listener, type SpeakPorts } from '../watchdog/speak.js';
import type { PingReceipt } from './state.js';

/** What a target is looked up and spoken to through. */
export interface OutletPorts extends Omit<SpeakPorts, 'tmux'> {
  readonly tmux: Pick<Tmux, 'pane' | 'tell'>;
}

/** One text for one target. `id`: of its file, where it needs one. */
export interface Words {
  readonly id: string;
  readonly text: string;
  readonly guarded: boolean;
  /** How often it was refused before. */
  readonly tries?: number;
}

/** Where a target stands, and the way to speak to it. "deaf": it can never be typed at. `at`: the session, for the log. */
export type Target =
  | { readonly kind: 'ready'; readonly at: string; say(words: Words, patienceMs: number): Promise<PingReceipt> }
  | { readonly kind: 'absent' | 'deaf'; readonly why: string };

/** Whom a name means, and what can be said to them now. A port: tests bring their own. */
export interface Outlet {
  find(name: string): Promise<Target>;
}

/** A person is told, never typed at. */
export const PERSON = 'person';

/** The sessions of a pit: a task by its id, a snake or a resident by its name, a person. `spent`: which budget is, where one is: residents wait then. */
export function outletOf(ports: OutletPorts, layout: Layout, profiles: Profiles, spent: () => Promise<string | undefined> = async () => undefined): Outlet {
  return { find: async (name) => (name === PERSON ? person(ports) : ((await ofClaim(ports, layout, profiles, name)) ?? ofResident(ports, layout, profiles, name, spent))) };
}

async function ofClaim(ports: OutletPorts, layout: Layout, profiles: Profiles, name: string): Promise<Target | undefined> {
  const claims = (await ports.files.list(layout.dir('claimed'))).flatMap((file) => parseClaim(file) ?? []);
  const claim = claims.find((one) => one.id === name) ?? claims.find((one) => one.owner.snake === name);
  if (claim === undefined) return undefined;
  const { session, dir } = await currentRun(ports.files, layout, claim);
  const found = await listenerOf(ports, profiles, { name: claim.id, session, dir, remedy: 'put mode: interactive into the task' });
  return 'why' in found ? found : listening(ports, found);
}

async function ofResident(ports: OutletPorts, layout: Layout, profiles: Profiles, name: string, spent: () => Promise<string | undefined>): Promise<Target> {
  const resident = await readResident(ports.files, layout, name);
  if (resident?.record.kind === 'service') return { kind: 'deaf', why: `${name} is a service: nobody there reads what is typed` };
  if (resident?.run === undefined) return { kind: 'absent', why: `${name} is not running` };
  // It would begin work.
  const budget = await spent();
  if (budget !== undefined) return { kind: 'absent', why: `${budget}: nothing is typed to ${name}` };
  const found = await listenerOf(ports, profiles, { name, session: resident.run.session, dir: resident.run.dir, remedy: 'give the resident mode: interactive' });
  return 'why' in found ? found : listening(ports, found);
}

/** A session by the run that it belongs to. */
interface Standing {
  readonly name: string;
  readonly session: string;
  readonly dir: string;
  /** What makes it one that can be typed into. */
  readonly remedy: string;
}

async function listenerOf({ files }: OutletPorts, profiles: Profiles, { name, session, dir, remedy }: Standing): Promise<Listener | Extract<Target, { why: string }>> {
  const attempt = (await files.exists(join(dir, RUN_FILES.session))) ? await readAttempt(files, dir) : undefined;
  if (attempt === undefined) return { kind: 'absent', why: `${name} has no session yet` };
  const profile = profiles[attempt.profile];
  if (attempt.mode === 'headless') return { kind: 'deaf', why: `${name} runs in print mode, where nothing can be typed; ${remedy}` };
  if (profile?.interactive === undefined) return { kind: 'deaf', why: `the profile ${attempt.profile} has no interactive mode any more` };
  return { session, runDir: dir, attempt, profile, interactive: profile.interactive };
}

/** A full-screen session. What is longer than a line lies in its own directory, and goes with it. */
function listening(ports: OutletPorts, listener: Listener): Target {
  return {
    kind: 'ready',
    at: listener.session,
    say: async ({ id, text, guarded }, patienceMs) => {
      const path = join(listener.runDir, `ping-${id}.md`);
      const typed = asFileRef(text, path, guarded);
      if (typed.file !== undefined) await ports.files.write(path, typed.file);
      const { kind, rule, evidence } = await speakTo(ports, listener, typed.line, { patienceMs });
      return { kind, rule, evidence };
    },
  };
}

function person({ tmux }: OutletPorts): Target {
  return {
    kind: 'ready',
    at: PERSON,
    say: async ({ text }) => {
      const terminals = await tmux.tell(show(text, 400));
      return { kind: 'told', rule: 'it stands in the event log', evidence: terminals === 0 ? 'nobody is attached' : `shown on ${terminals} attached terminal${terminals === 1 ? '' : 's'}` };
    },
  };
}
