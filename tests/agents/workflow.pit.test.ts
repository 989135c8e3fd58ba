import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkout, gitIn, seedRepo } from '../rig/repo.js';
import { Pit, QUICK } from '../rig/pit.js';
import type { Core } from './headless.js';
import { install, isMissing } from './install.js';
import { startModelStub, type ModelStub } from './model-stub.js';
import { ended, KEYS, OVERLAYS, REAL, story } from './stubbed.js';

/** Who builds, and who reviews it: each program once as either, never both. */
const PAIRS: readonly (readonly [author: Core, reviewer: Core])[] = [['claude', 'codex'], ['codex', 'gemini'], ['gemini', 'opencode'], ['opencode', 'pi'], ['pi', 'claude']];

const WORKFLOW = `title: built, reviewed by another program, mended
steps:
  - loop: rounds
    max: 3
    until: {verdict: review}
    steps:
      - {step: build, rounds: first, prompt: "Play [[build-$WHO]]."}
      - {step: mend, rounds: later, prompt: "Play [[mend-$WHO]]."}
      - {step: review, rights: read, verdict: true, prompt: "Play [[review-$WHO]]."}
`;

async function pitOfAll(stub: ModelStub): Promise<Pit> {
  const installed = await Promise.all([...new Set(PAIRS.flat())].map((name) => install(name)));
  const bins = installed.map((one) => {
    if (isMissing(one)) throw new Error(`a program cannot be had here: ${one.missing}`);
    return dirname(one.bin);
  });
  const agents = Object.fromEntries([...new Set(PAIRS.flat())].map((name) => [name, OVERLAYS[name](stub.url)]));
  return new Pit({
    config: [...QUICK.filter((line) => !line.startsWith('grace')), 'grace: 2s', `agents: ${JSON.stringify(agents)}`, 'attempts: 1', 'merge: no-ff'],
    env: { PATH: [...bins, process.env['PATH'] ?? '/usr/bin:/bin'].join(':'), ...KEYS, ANTHROPIC_BASE_URL: stub.url, GOOGLE_GEMINI_BASE_URL: stub.url },
  });
}

describe('real programs in a workflow', REAL, () => {
  it('each builds on a branch of its own, is rejected by another, mends, is passed, and is merged; the checkout stays as it is', { timeout: 600_000 }, async () => {
    await using stub = await startModelStub();
    const pit = await pitOfAll(stub);
    try {
      seedRepo(pit.root);
      const before = checkout(pit.root);
      const ids = PAIRS.map(([author]) => `by-${author}`);
      fs.mkdirSync(join(pit.root, 'workflows'));
      for (const [author, reviewer] of PAIRS) {
        const say = (name: string, command: string): void => stub.script(`${name}-${author}`, [{ tool: 'bash', command }, { text: `${name}: that is all.` }]);
        // One commits, one leaves its work lying: both count.
        say('build', `echo helo > ${author}.txt`);
        say('mend', `test -s "$SNAKEPIT_FEEDBACK" && echo hello > ${author}.txt && git add ${author}.txt && git -c user.name=A -c user.email=a@b commit -qm mended`);
        stub.script(`review-${author}`, [{ tool: 'bash', command: `if grep -qx hello ${author}.txt; then "$SNAKEPIT_COMMAND" done --verdict PASS good; else echo "1. ${author}.txt:1: helo: write hello" > "$SNAKEPIT_STEP_DIR/feedback.md"; "$SNAKEPIT_COMMAND" done --verdict REJECT "a slip"; fi` }, { text: 'review: that is all.' }]);
        fs.writeFileSync(join(pit.root, 'workflows', `of-${author}.yaml`), WORKFLOW.replaceAll('$WHO', author).replace('rights: read', `agent: ${reviewer}, rights: read`));
      }
      await pit.up(3);
      for (const [author] of PAIRS) pit.dropTask(`by-${author}.md`, `---\nagent: ${author}\nworkflow: of-${author}\nverify: grep -qx hello ${author}.txt\n---\n# Greet\n\nWrite hello into ${author}.txt.\n`);
      for (const id of ids) await pit.until(`${id} has ended`, () => ended(pit, id) !== undefined, 300_000);
      for (const [author, reviewer] of PAIRS) {
        expect(ended(pit, `by-${author}`), story(pit, `by-${author}`)).toBe('done');
        expect(gitIn(pit.root, 'show', `snakepit-main:${author}.txt`)).toBe('hello\n');
        const ends = pit.events().flatMap((event) => (event.kind === 'step-ended' && event.id === `by-${author}` ? [`${event.step} ${event.round} ${event.verdict}`] : []));
        expect(ends).toEqual(['build 1 ', 'review 1 reject', 'mend 2 ', 'review 2 pass']);
        expect(story(pit, `by-${author}`)).toMatch(new RegExp(`review, round 1 \\(${reviewer}[:,].*\\): REJECT; it says: a slip`));
      }
      expect(gitIn(pit.root, 'log', '--first-parent', '--format=%s', 'main..snakepit-main').trim().split('\n')).toHaveLength(ids.length);
      expect(checkout(pit.root)).toEqual(before);
    } finally {
      await pit.dispose();
    }
  });
});
