import { describe, expect, it } from 'vitest';
import type { Core } from './headless.js';
import { startModelStub } from './model-stub.js';
import { pitWith, REAL } from './stubbed.js';

interface Checked {
  readonly checks: readonly { readonly check: string; readonly level: string; readonly fact: string }[];
}

const CORE: readonly Core[] = ['claude', 'codex', 'pi'];
describe.each(CORE)('snakepit agents check %s --live', REAL, (name) => {
  it('is well when it answers, and says why when it does not', { timeout: 180_000 }, async () => {
    await using stub = await startModelStub();
    const pit = await pitWith(name, stub);
    try {
      stub.script('default', [{ text: 'ready' }]);
      const well = await pit.cli('agents', 'check', name, '--live', '--json');
      expect(well.stderr).toBe('');
      expect(well.code).toBe(0);
      expect((JSON.parse(well.stdout) as Checked).checks.find(({ check }) => check === 'answers')).toMatchObject({ level: 'ok', fact: expect.stringMatching(/^finished after .*: ready$/) as string });
      expect(stub.asked.filter((one) => !one.side).map((one) => one.prompt).join()).toContain('Answer with the single word: ready');

      stub.script('default', [{ status: 401 }]);
      const bad = await pit.cli('agents', 'check', name, '--live', '--json');
      expect(bad.code).toBe(69);
      expect((JSON.parse(bad.stdout) as Checked).checks.find(({ check }) => check === 'answers')).toMatchObject({ level: 'bad', fact: expect.stringMatching(/^auth-failed after /) as string });
    } finally {
      await pit.dispose();
    }
  });
});
