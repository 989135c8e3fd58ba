/** What the signals of a terminal's life ask of the view. */
export interface Turns {
  /** Gives the terminal back as it was; may be called twice. */
  leave(): void;
  enter(): void;
  /** Something else has the terminal: a pager, an attached session. */
  isAside(): boolean;
  end(): void;
}

/** From the signal to the stop itself, and from there on again. */
const STOP_MS = 50;

/**
 * However the view ends, its terminal is given back: by a signal, an error that nobody caught, or the end of the terminal itself.
 * Limit: SIGKILL leaves nobody to do it; the person says `reset`.
 */
export class Signals {
  private readonly turns: Turns;
  private readonly handlers: [NodeJS.Signals | 'exit' | 'uncaughtExceptionMonitor', () => void][];

  constructor(turns: Turns) {
    this.turns = turns;
    const end = (): void => this.end();
    this.handlers = [
      ['SIGTERM', end],
      ['SIGHUP', end],
      // While a pager has the terminal, C-c is the pager's.
      ['SIGINT', () => (turns.isAside() ? undefined : end())],
      ['SIGTSTP', () => this.suspend()],
      ['SIGCONT', () => this.resume()],
      ['exit', () => turns.leave()],
      ['uncaughtExceptionMonitor', () => turns.leave()],
    ];
  }

  listen(): void {
    for (const [name, handler] of this.handlers) process.on(name as NodeJS.Signals, handler);
  }

  close(): void {
    for (const [name, handler] of this.handlers) process.removeListener(name, handler);
  }

  end(): void {
    this.turns.end();
  }

  /** Stops as any program does: the kernel decides whether there is a shell to come back from. */
  suspend(): void {
    if (this.turns.isAside()) return;
    this.turns.leave();
    const [, handler] = this.handlers.find(([name]) => name === 'SIGTSTP') ?? [];
    if (handler !== undefined) process.removeListener('SIGTSTP', handler);
    process.kill(process.pid, 'SIGTSTP');
    setTimeout(() => {
      if (handler !== undefined) process.on('SIGTSTP', handler);
      this.turns.enter();
    }, STOP_MS);
  }

  /** After a SIGSTOP that nobody could catch, whatever the shell did with the terminal. */
  private resume(): void {
    if (!this.turns.isAside()) this.turns.enter();
  }
}
