import { describe, expect, it } from 'vitest';
import { titleOf } from '../../src/protocol/body.js';
import { parseTask } from '../../src/protocol/parse-task.js';
import { idFromFileName } from '../../src/protocol/task-id.js';

describe('the title of a task', () => {
  it.each([
    ['# A heading\n\ntext', 'A heading'],
    ['text first\n\n## then a heading', 'then a heading'],
    ['\n\nonly text\nmore', 'only text'],
    ['```sh\n# a comment\n```\n', ''],
    ['```sh\n# a comment\n```\n# After it\n', 'After it'],
    ['~~~\n```\n# inside\n```\n~~~\ntext', ''],
    ['', ''],
  ])('%j', (body, title) => expect(titleOf(body)).toBe(title));
});

describe('slips of the pen', () => {
  const warnings = async (text: string): Promise<[number, string][]> => {
    const parsed = await parseTask(Buffer.from(text));
    if (!parsed.ok) throw new Error(parsed.error.problem);
    return parsed.value.warnings.map(({ line, text: said }) => [line, said]);
  };
  it.each<[string, number, RegExp]>([
    ['run: make x\n', 1, /^run: looks like front matter/],
    ['\n\nTimeout: 5m\ntext\n', 3, /^timeout: looks like front matter/],
    ['\n---\nrun: x\n---\ntext\n', 2, /begins in the first line/],
    ['# x\n    ```sh\n    true\n    ```\n', 2, /indented by 4 blanks/],
    ['---\nattempts: 1\n---\n\n\t```bash\n\ttrue\n\t```\n', 5, /indented by a tab/],
    ['---\n---\n      ~~~sh\n      true\n', 3, /indented by 6 blanks/],
  ])('%j is told with its line', async (text, line, said) => expect(await warnings(text)).toEqual([[line, expect.stringMatching(said)]]));

  it.each(['# x\n```sh\ntrue\n```\n    ```sh\n', 'Note: this is text\n', 'text\n\n---\n\nmore\n', '---\nrun: x\n---\n    ```sh\n', '```sh\nrun: x\n```\n'])('%j is not', async (text) => expect(await warnings(text)).toEqual([]));
});

describe('ids from file names', () => {
  it.each([
    ['My Ünïcode täsk.md', /^my-unicode-task-[0-9a-f]{6}$/],
    ['Fix the Login.md', /^fix-the-login$/],
    ['日本語.md', /^task-[0-9a-f]{6}$/],
    ['ﬁle №5.md', /^file-no5-[0-9a-f]{6}$/],
  ])('%s', (name, id) => expect(idFromFileName(Buffer.from(name))).toMatch(id));
});
