import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { HEADLESS, type Core } from './headless.js';
import { install, isMissing } from './install.js';
import { startModelStub } from './model-stub.js';
import { AgentRig } from './run-agent.js';
import { REAL } from './stubbed.js';

const CORE: readonly Core[] = ['claude', 'codex', 'gemini', 'opencode', 'pi'];
const INSTALL_MS = 300_000;
const RUN_MS = 120_000;

describe('the real programs against the stub', REAL, () => {
  test.each(CORE)('%s works a script of a command and a text, and its transcript has the tokens that were sent', { timeout: INSTALL_MS + RUN_MS }, async (name) => {
    const found = await install(name);
    if (isMissing(found)) throw new Error(`${name} cannot be installed: ${found.missing}`);
    await using stub = await startModelStub();
    await using rig = await AgentRig.create(stub.url);
    const said = `The file is made, says ${name}.`;
    stub.script('make-file', [{ tool: 'bash', command: 'printf made > made.txt' }, { text: said }]);
    const prompt = `Please do [[make-file]] — "quoted", 'single', $HOME, \`x\`, ünïcode\n  and a second line.`;

    const ran = await rig.run(name, found.bin, prompt, RUN_MS);

    expect(ran.code, ran.stderr).toBe(0);
    expect(await readFile(join(rig.place.work, 'made.txt'), 'utf8')).toBe('made');
    expect(HEADLESS[name].finalText(ran.events)).toBe(said);
    expect(stub.of('make-file').map(({ prompt: got, turn }) => ({ got, turn }))).toEqual([{ got: prompt, turn: 0 }, { got: prompt, turn: 1 }]);
    expect(stub.sent('make-file').output).toBeGreaterThan(0);
    expect(await HEADLESS[name].usage(rig.place, ran.events, found.bin)).toEqual(stub.sent('make-file'));
  });
});
