import { describe, expect, it } from 'vitest';
import { cronBlock, editCrontab, systemdUnits, type TimedCommand } from '../../src/cli/cron.js';

const OF: TimedCommand = { node: '/usr/bin/node', program: '/opt/snakepit/bin/snakepit.js', root: '/home/me/50% done', log: '/home/me/50% done/log', path: '/usr/bin:/bin', everyMinutes: 10 };
const block = cronBlock(OF).ok ? (cronBlock(OF) as { value: string[] }).value : [];
const edit = (text: string, lines: readonly string[] | 'none' = block): string => {
  const edited = editCrontab(text, OF.root, lines === 'none' ? undefined : lines);
  return edited.ok ? edited.value : edited.error;
};

describe('the lines of a crontab', () => {
  it('are absolute, quoted, with percent signs escaped for cron', () => {
    expect(block[1]).toBe(`*/10 * * * * PATH='/usr/bin:/bin' '/usr/bin/node' '/opt/snakepit/bin/snakepit.js' '-C' '/home/me/50\\% done' 'cleanup' >>'/home/me/50\\% done/log' 2>&1`);
    expect(cronBlock({ ...OF, root: 'a\nb' }).ok).toBe(false);
  });

  it.each<[string, string]>([
    ['an empty crontab', ''],
    ['lines of others', 'MAILTO=me\n0 1 * * * backup\n'],
    ['a last line without its end', '0 1 * * * backup'],
  ])('come into %s and out of it again, and touch nothing else', (_name, before) => {
    const after = edit(before);
    expect(after).toBe(`${before === '' || before.endsWith('\n') ? before : `${before}\n`}${block.join('\n')}\n`);
    expect(edit(after)).toBe(after);
    expect(edit(after, 'none')).toBe(before === '' || before.endsWith('\n') ? before : `${before}\n`);
  });

  it('are put anew where they stood, also when another pit has its own', () => {
    const text = `first\n${block[0]}\nold line\n${block[2]}\n# snakepit cleanup of /other: begin\nx\n# snakepit cleanup of /other: end\nlast\n`;
    expect(edit(text)).toBe(text.replace('old line', block[1] ?? ''));
    expect(edit(text, 'none')).toBe('first\n# snakepit cleanup of /other: begin\nx\n# snakepit cleanup of /other: end\nlast\n');
  });

  it.each([`a\n${block[0]}\nx\n`, `x\n${block[2]}\n`, `${block[2]}\nx\n${block[0]}\n`, `${block.join('\n')}\n${block.join('\n')}\n`])('that are not whole are left to a person: %j', (text) => expect(edit(text)).toMatch(/are not whole; mend them with: crontab -e/));
});

it('the units of systemd have no percent or dollar sign that it would expand', () => {
  const units = systemdUnits({ ...OF, root: '/home/me/50% $HOME "x"' });
  expect(units).toContain('ExecStart="/usr/bin/node" "/opt/snakepit/bin/snakepit.js" "-C" "/home/me/50%% $$HOME \\"x\\"" "cleanup"');
  expect(units).toContain('SuccessExitStatus=1 4 5');
});
