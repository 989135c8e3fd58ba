import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { isIntact } from '../../src/agents/deliver/text.js';
import type { Receipt } from '../../src/agents/deliver/state.js';
import { loadProfiles } from '../../src/agents/load-profiles.js';
import type { AgentProfile } from '../../src/agents/profile.js';
import { until } from '../rig/until.js';
import type { Core } from './headless.js';
import { install, isMissing } from './install.js';
import { startModelStub, type ModelStub } from './model-stub.js';
import { AgentRig } from './run-agent.js';
import { AgentTerminal } from './terminal.js';

/** Of each kind and each program. The full run is 30. */
const DELIVERIES = Number(process.env['DELIVERIES'] ?? '1');
/** All, or some by name: DELIVER_TO=claude,pi */
const CORE = (process.env['DELIVER_TO'] ?? 'claude,codex,gemini,opencode,pi').split(',') as Core[];
const START_MS = 420_000;
const EACH_MS = 30_000;
/** Programs that ask before they run a command. */
const ASKS: readonly Core[] = ['claude', 'gemini', 'opencode'];
/** Programs that open a menu for a word typed into them. */
const MENUS: readonly Core[] = ['codex'];

const WISH = { patienceMs: 20_000 };
const BRIEF = { patienceMs: 1000 };

const KINDS: Readonly<Record<string, (id: string) => string>> = {
  'one line': (id) => `${id}: "quoted", 'single', $HOME, \`x\`, 100% #{pane_id} ünïcode 😀, no more than that.`,
  'ten lines': (id) => Array.from({ length: 10 }, (_, at) => `${id} line ${at + 1}:   three blanks, a \\ and "quotes"`).join('\n'),
  '5 KB': (id) => Array.from({ length: 66 }, (_, at) => `${id} ${String(at).padStart(3, '0')} the quick brown fox jumps over the lazy dog, and over more.`).join('\n').padEnd(5120, '.'),
};

/** How often the model was asked this very text, by the program itself; how often anything that bears its id. */
function heard(stub: ModelStub, id: string, text: string): { intact: number; any: number } {
  const asked = stub.asked.filter((one) => !one.side && one.prompt.includes(id));
  return { intact: asked.filter((one) => isIntact(one.prompt, text)).length, any: asked.length };
}

const arrived = (stub: ModelStub, id: string): Promise<void> => until(`${id} reached the model`, () => stub.asked.some((one) => !one.side && one.prompt.includes(id)), EACH_MS);
const tally = new Map<string, number>();
const count = (what: string): void => void tally.set(what, (tally.get(what) ?? 0) + 1);

function profileOf(name: Core): AgentProfile {
  const profiles = loadProfiles({});
  const found = profiles.ok ? profiles.value[name] : undefined;
  if (found === undefined) throw new Error(`no profile for ${name}: ${profiles.ok ? '' : profiles.error.problem}`);
  return found;
}

describe.each(CORE)('%s', (name) => {
  test('every text exactly once, intact', { timeout: START_MS + DELIVERIES * 3 * EACH_MS }, async () => {
    const found = await install(name);
    if (isMissing(found)) throw new Error(`${name} cannot be installed: ${found.missing}`);
    const profile = profileOf(name);
    await using stub = await startModelStub();
    await using rig = await AgentRig.create(stub.url);
    execFileSync('git', ['init', '-q'], { cwd: rig.place.work });
    stub.script('slow', [{ slow: 8000, chunks: 20, text: Array.from({ length: 20 }, (_, at) => `word${at}`).join(' ') }, { text: 'after' }]);
    stub.script('ask', [{ tool: 'bash', command: 'touch made-by-a-command' }, { text: 'it is done' }]);
    await using terminal = await AgentTerminal.start(name, found.bin, rig.place, profile);
    let n = 0;
    const next = (): string => `m${String((n += 1)).padStart(4, '0')}x`;
    const faults: string[] = [];
    const judge = async (kind: string, id: string, text: string, receipt: Receipt): Promise<void> => {
      if (receipt.kind === 'submitted' || receipt.kind === 'queued') await arrived(stub, id).catch(() => undefined);
      const { intact, any } = heard(stub, id, text);
      const how = receipt.kind === 'submitted' ? `submitted by ${receipt.proof}` : receipt.kind === 'queued' ? 'queued' : `${receipt.kind}: ${receipt.reason}`;
      count(`${kind}: ${intact === 1 && any === 1 ? 'once, intact' : `${any} times, ${intact} intact`}, ${how}${'keys' in receipt && receipt.keys > 1 ? `, ${receipt.keys} keys` : ''}`);
      const told = receipt.kind === 'submitted' || receipt.kind === 'queued' ? intact === 1 && any === 1 : receipt.kind === 'refused' ? any === 0 : true;
      if (!told) faults.push(`${kind} ${id}: the model heard it ${any} times, ${intact} intact; told: ${JSON.stringify(receipt)}\n${(await terminal.now()).text}`);
    };

    // At once, while it starts.
    const first = next();
    const firstText = KINDS['one line']!(first);
    await judge('first', first, firstText, await terminal.send(firstText, { patienceMs: 120_000, fresh: true }));

    for (const [kind, textOf] of Object.entries(KINDS)) {
      for (let round = 0; round < DELIVERIES; round += 1) {
        const id = next();
        await terminal.idle();
        await judge(kind, id, textOf(id), await terminal.send(textOf(id), WISH));
      }
    }

    for (const [kind, textOf] of Object.entries(KINDS)) {
      await terminal.idle();
      const [slow, id] = [next(), next()];
      await terminal.send(`please [[slow]] ${slow}`, WISH);
      await arrived(stub, slow);
      await until('it works', async () => (await terminal.now()).kind === 'working', EACH_MS);
      await judge(`working, ${kind}`, id, textOf(id), await terminal.send(textOf(id), WISH));
      // The turn that ran was not cut short by it.
      const running = stub.asked.find((one) => one.prompt.includes(slow));
      if (running?.sent === null) faults.push(`${kind}: the running turn was cut short`);
    }

    for (const [kind, textOf] of Object.entries(KINDS)) {
      await terminal.idle();
      const id = next();
      terminal.tmux('copy-mode', '-t', '=agent:');
      await judge(`copy mode, ${kind}`, id, textOf(id), await terminal.send(textOf(id), WISH));
    }

    await terminal.idle();
    const draft = 'half a thought of a person';
    terminal.keys('-l', draft);
    await terminal.shows(/half a thought of a person/);
    const unsent = next();
    const refusal = await terminal.send(KINDS['one line']!(unsent), BRIEF);
    expect(refusal).toMatchObject({ kind: 'refused', reason: 'draft' });
    await judge('draft', unsent, '', refusal);
    const look = await terminal.now();
    expect(look.draft).toBe(draft);
    terminal.keys(...Array.from(draft, () => 'BSpace'));
    await terminal.idle();
    const afterDraft = next();
    await judge('after a draft', afterDraft, KINDS['one line']!(afterDraft), await terminal.send(KINDS['one line']!(afterDraft), WISH));

    if (ASKS.includes(name) || MENUS.includes(name)) {
      await terminal.idle();
      if (ASKS.includes(name)) await terminal.send(`please [[ask]] ${next()}`, WISH);
      else terminal.keys('-l', '/model');
      await until('a dialog is up', async () => {
        const look = await terminal.now();
        if (look.draft === '/model') terminal.keys('Enter');
        return look.dialog !== undefined;
      }, EACH_MS).catch(async (cause: unknown) => {
        throw new Error(`${String(cause)}\n${(await terminal.now()).text}`);
      });
      const [blocked, before] = [next(), (await terminal.now()).dialog];
      const receipt = await terminal.send(KINDS['one line']!(blocked), BRIEF);
      expect(receipt).toMatchObject({ kind: 'refused', reason: 'dialog' });
      await judge('dialog', blocked, '', receipt);
      expect((await terminal.now()).dialog).toBe(before);
      terminal.keys('Escape');
      await until('the dialog is gone', async () => (await terminal.now()).dialog === undefined, EACH_MS);
    }

    // The keys that the profile names end it, from an empty composer.
    await terminal.idle();
    for (const key of profile.interactive?.['exit-keys'] ?? []) await terminal.pane.key(key);
    await until('it has ended', async () => {
      const seen = await terminal.pane.observe();
      return seen.kind !== 'seen' || seen.capture.dead;
    }, EACH_MS).catch(async (cause: unknown) => faults.push(`${String(cause)}\n${(await terminal.now()).text}`));

    console.log([`${name}:`, ...[...tally].map(([what, times]) => `  ${times} × ${what}`)].join('\n'));
    tally.clear();
    expect(faults).toEqual([]);
  });
});
