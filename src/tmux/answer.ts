import type { Ran } from '../lib/run.js';

/** tmux answered that its server is not there. */
export const isGone = (ran: Ran): boolean => ran.kind === 'ended' && /no server running|error connecting to|lost server|server exited/.test(ran.stderr);

/** tmux answered that the server is there and the session is not. */
export const isMissing = (ran: Ran): boolean => ran.kind === 'ended' && /can't find (pane|session|window)|no (current )?(sessions|target)/.test(ran.stderr);
