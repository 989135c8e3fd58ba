import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isIn, refusal, withPit } from '../integration/rig.js';

const task = (...keys: readonly string[]): string => `---\n${keys.map((key) => `${key}\n`).join('')}---\n# Task\n\n~~~sh\ntrue\n~~~\n`;

describe('a task that names a workflow', { timeout: 60_000 }, () => {
  it('is refused at the prompt where the workflow or an option of it does not exist, with line and remedy; a right one is added', () =>
    withPit({}, async (pit) => {
      fs.mkdirSync(join(pit.root, 'workflows'), { recursive: true });
      fs.writeFileSync(join(pit.root, 'workflows', 'mine.yaml'), 'title: mine\nsteps: [{step: a, prompt: gone.md}]\n');
      const refused = async (...keys: readonly string[]): Promise<string> => {
        fs.writeFileSync(join(pit.root, 'bad.md'), task(...keys));
        const called = await pit.cli('add', 'bad.md');
        expect(called.code, called.stderr).toBe(65);
        return called.stderr;
      };
      expect(await refused('priority: high', 'workflow: bild-review')).toContain('bad.md:3: workflow: no workflow is called bild-review; did you mean build-review?');
      expect(await refused('workflow: build-review', 'with: {round: 3}')).toContain('bad.md:3: with: round: the workflow build-review has no such option; did you mean rounds?');
      expect(await refused('workflow: solo', 'with: {rounds: 3}')).toContain('bad.md:3: with: has a meaning for other workflows than solo; remove it');
      expect(await refused('workflow: mine')).toMatch(/bad\.md: the workflow mine cannot be worked: workflows\/mine\.yaml:2: steps\.0\.prompt: there is no file gone\.md/);
      await pit.up(1);
      pit.dropTask('dropped.md', task('priority: high', 'workflow: bild-review'));
      pit.dropTask('right.md', task('workflow: mine', 'in: 9h'));
      await pit.until('it is refused', () => refusal(pit, 'dropped.md') !== undefined, 60_000);
      expect(refusal(pit, 'dropped.md')?.story).toMatch(/line 3[^]*no workflow is called bild-review; did you mean build-review\?/);
      expect(await pit.ok('ls')).toMatch(/refused +dropped\.md .*line 3: workflow: no workflow is called bild-review/);
      await pit.until('a workflow whose own file is wrong is no fault of the task', () => isIn(pit, 'waiting', 'right'), 60_000);
      fs.writeFileSync(join(pit.root, 'good.md'), task('workflow: build-review', 'with: {rounds: 3}'));
      expect(await pit.ok('add', 'good.md')).toContain('good');
    }));
});
