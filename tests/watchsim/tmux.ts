import type { Launched, LaunchSpec, Sessions, Tmux } from '../../src/tmux/server.js';
import type { Machine, SimProcess } from './machine.js';
import type { Session } from './session.js';

/** How the simulated server answers. */
export type Answers = 'well' | 'not at all' | 'it is gone';

/** One tmux server: it lists, shows and types; everything typed is told. */
export class SimTmux {
  answers: Answers = 'well';
  /** How often somebody asked what sessions there are. */
  asked = 0;
  readonly sessions = new Map<string, Session>();
  private readonly machine: Machine;
  private readonly start: (spec: LaunchSpec) => Session;
  private readonly typed: (session: Session, what: string) => void;

  constructor(machine: Machine, start: (spec: LaunchSpec) => Session, typed: (session: Session, what: string) => void) {
    this.machine = machine;
    this.start = start;
    this.typed = typed;
  }

  private living(session: string): Session | undefined {
    const found = this.sessions.get(session);
    return found?.leader.alive === true ? found : undefined;
  }

  /** As one process sees it. */
  of(me: SimProcess): Tmux {
    const { machine } = this;
    const unknown = { kind: 'unknown', why: 'it did not answer within 5 s' } as const;
    const server = <T>(well: () => T, silent: T, gone: T): Promise<T> => machine.call(me, () => (this.answers === 'well' ? well() : this.answers === 'not at all' ? silent : gone));
    return {
      sessions: (captured = []) => server<Sessions>(() => this.list(captured), unknown, { kind: 'gone' }),
      launch: (spec) =>
        server<Launched>(() => {
          if (this.living(spec.session) !== undefined) return { kind: 'exists' };
          this.sessions.set(spec.session, this.start(spec));
          return { kind: 'launched' };
        }, unknown, { kind: 'gone' }),
      found: () => machine.call(me, () => {
        if (this.answers === 'it is gone') this.answers = 'well';
        return this.answers === 'well' ? ('up' as const) : ('unknown' as const);
      }),
      state: () => server<'up' | 'unknown' | 'gone'>(() => 'up', 'unknown', 'gone'),
      pid: () => server<number | undefined>(() => 1, undefined, undefined),
      killSession: (session) => machine.call(me, () => {
        const leader = this.living(session)?.leader;
        if (leader !== undefined) machine.end(leader);
      }),
      killServer: () => machine.call(me, () => void (this.answers = 'it is gone')),
      tell: () => machine.call(me, () => 0),
      attachArgv: (session) => ['tmux', session],
      pane: (session) => ({
        observe: () => server(() => this.living(session)?.screen.observe() ?? { kind: 'gone' as const }, unknown, { kind: 'gone' as const }),
        leaveMode: () => machine.call(me, () => undefined),
        paste: (text) => server(() => this.act(session, (one) => {
          this.typed(one, `text: ${text}`);
          return one.screen.paste(text);
        }), unknown, { kind: 'gone' as const }),
        key: (key) => server(() => this.act(session, (one) => {
          this.typed(one, `key: ${key}`);
          return one.screen.press(key);
        }), unknown, { kind: 'gone' as const }),
      }),
    };
  }

  private act<T>(session: string, does: (one: Session) => T): T | { readonly kind: 'gone' } {
    const one = this.living(session);
    return one === undefined ? { kind: 'gone' } : does(one);
  }

  private list(captured: readonly string[]): Sessions {
    this.asked += 1;
    const rows = [...this.sessions].filter(([, one]) => one.leader.alive).map(([session, one]) => ({
      session, panePid: one.leader.identity.pid, dead: false, title: 'actor', screen: captured.includes(session) ? one.screen.text() : undefined,
    }));
    return { kind: 'listed', rows };
  }
}
