import { expect } from 'vitest';
import type { Pit } from '../rig/pit.js';
import type { Core } from './headless.js';
import type { ModelStub, Turn } from './model-stub.js';
import { sampled, thirdOf, type Mode } from './sample.js';
import { PATIENCE_MS } from './stubbed.js';

type Script = 'mute' | 'slow' | 'busy' | 'away' | 'rate' | 'limit' | 'key' | 'long' | 'empty';
export type Told = Readonly<Record<Script, RegExp>>;

/** An answer that quotes what providers say when they refuse, each on a line of its own. */
export const QUOTED = ['API Error: 529 Overloaded. This is a server-side issue', '■ unexpected status 503 Service Unavailable: overloaded', '✕ [API Error: {"error":{"code":503,"message":"The model is overloaded."}}]', 'Error: 503: {"code":"overloaded"}', 'The engine is currently overloaded [retrying in 1s attempt #2]'].join('\n\n');

/** What a provider does, by the name of the script, which is the task's name too; the long ones first. `until`: epoch seconds at which a usage limit ends. */
const scriptsFor = (mode: Mode, until: number): Readonly<Record<Script, readonly Turn[]>> => ({
  mute: [{ tool: 'bash', command: 'true' }, { silence: 600_000 }],
  slow: [{ tool: 'write', path: 'made.txt', content: 'made' }, ...(mode === 'interactive' ? [{ tool: 'bash', command: '"$SNAKEPIT_COMMAND" done "slowly"' } as const] : []), { slow: 4000, chunks: 16, text: QUOTED }],
  busy: [{ status: 529 }],
  away: [{ status: 503 }],
  rate: [{ status: 429 }],
  limit: [{ status: 429, resetsAt: until }],
  key: [{ status: 401 }],
  long: [{ contextError: true }],
  empty: [{ empty: true }],
});
export const SCRIPTS = Object.keys(scriptsFor('headless', 0)) as readonly Script[];

/** Those that are played with this program in this mode. */
export const played = (name: Core, mode: Mode): readonly Script[] => sampled(SCRIPTS, thirdOf(SCRIPTS, name, mode));

/** How the first attempt of each ends where the program says all that it could. */
export const TOLD: Told = {
  mute: /^stalled: it fell silent/, slow: /^done$/, busy: /^rate-limited: /, away: /^rate-limited: /, rate: /^rate-limited: /, limit: /^usage-limited: /,
  key: /^auth-failed: /, long: /^context-exhausted: /, empty: /^agent-error: /,
};

/** Who says when a usage limit ends. With an API key Claude answers a plain 429; Gemini and OpenCode do not repeat it. */
const TELLS_RESET: ReadonlySet<Core> = new Set(['codex', 'pi']);
/** Clock texts are of minutes, and the breaker adds a margin (config/schema.ts). */
const RESET_MS = 110_000;

/** One profile a script, each on an account of its own: one's limit is not another's. Claude's own retries are few; the others' are few already (stubbed.ts), or cannot be limited. */
export const onOwnAccounts = (agent: Core): Record<string, unknown> => ({
  ...(agent === 'claude' ? { claude: { env: { CLAUDE_CODE_MAX_RETRIES: '1' } } } : {}),
  ...Object.fromEntries(SCRIPTS.map((script) => [`on-${script}`, { extends: agent, account: `for-${script}` }])),
});

/** How the first attempt of each task ended: why it waits or has failed, or "done". */
function firstEnds(pit: Pit): Record<string, string> {
  const ends: Record<string, string> = {};
  for (const event of pit.events()) {
    if (event.kind === 'task-requeued' || event.kind === 'task-failed') ends[event.id] ??= event.why;
    if (event.kind === 'task-done') ends[event.id] ??= 'done';
  }
  return ends;
}

/**
 * A task for each script that is played, all at once; each ends as it should. Limits of the account, and only they, open that account's breaker,
 * and count no failure.
 */
export async function playAll(pit: Pit, stub: ModelStub, name: Core, mode: Mode, told: Told): Promise<void> {
  const until = Math.floor(Date.now() / 1000) + 3600;
  const scripts = played(name, mode);
  for (const script of scripts) {
    stub.script(script, scriptsFor(mode, until)[script]);
    const verify = script === 'slow' ? 'verify: grep -qx made made.txt\n' : '';
    pit.dropTask(`${script}.md`, `---\nagent: on-${script}\nmode: ${mode}\n${verify}---\nPlease do [[${script}]].\n`);
  }
  await pit.until('each has ended or waits', () => Object.keys(firstEnds(pit)).length === scripts.length, 4 * PATIENCE_MS);
  const ends = firstEnds(pit);
  for (const script of scripts) expect(ends[script], script).toMatch(told[script]);

  const limited = scripts.filter((script) => /-(?:limited|failed): /.test(ends[script] ?? ''));
  // Waiting, or tried again since: no failure is counted.
  const counters = (script: Script): string | undefined => (['waiting', 'ready', 'claimed'] as const).flatMap((state) => pit.files(state)).find((file) => file.includes(`~${script}~`));
  for (const script of limited) expect(counters(script), script).toMatch(/~0\.0\.[1-9]\d*[.~]/);
  const opened = pit.events().flatMap((event) => (event.kind === 'breaker-opened' ? [event] : []));
  expect([...new Set(opened.map(({ account, reason }) => `${account} ${reason}`))].sort()).toEqual(limited.map((script) => `for-${script} ${/^[a-z-]+/.exec(ends[script] ?? '')?.[0]}`).sort());
  const limit = opened.find(({ account }) => account === 'for-limit');
  if (TELLS_RESET.has(name) && scripts.includes('limit')) expect(Math.abs((limit?.until ?? 0) - until * 1000)).toBeLessThan(RESET_MS);
}
