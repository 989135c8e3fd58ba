import * as fs from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { QUICK } from '../rig/pit.js';
import { spenderProfile, spenderTask } from '../rig/spender.js';
import { background, hasEnded, head, isIn, sh, withPit } from './rig.js';

/* What a person reads in the morning. */

describe('report', () => {
  it('tells of tasks that are done, failed, asking, refused, of the log\'s former parts, and what was used', () =>
    withPit({ config: [...QUICK, 'agent: spender', spenderProfile(), 'prices: [{model: stub-1, from: 2020-01-01, input: 2, output: 10}]'] }, async (pit) => {
      await pit.up(2);
      const go = pit.beside('go');
      pit.dropTask('paid.md', spenderTask([[{ in: 90, out: 9 }, { say: 'on its terminal' }, { until: go }, { in: 10, out: 1 }]]));
      await pit.until('it is at work', () => isIn(pit, 'claimed', 'paid'), 60_000);
      const follow = background(pit, 'logs', '-f', 'paid');
      await pit.until('its first message is told while it works', () => follow.output().includes('- agent\n  a\n- agent\n  b\n'), 60_000);
      fs.writeFileSync(go, '');
      expect(await follow.ended).toBe(0);
      expect(follow.output()).toBe('- user\n  the task\n- agent\n  a\n- agent\n  b\n- agent\n  a\n- agent\n  b\n');
      pit.dropTask('broken.md', head('agent: shell', 'attempts: 1', 'title: It [breaks](http://x.example)') + sh('echo about to break', 'exit 3'));
      pit.dropTask('asks.md', head('agent: shell', 'ask: park') + sh('snakepit ask which colour'));
      pit.dropTask('bad.md', head('attempts: many'));
      await pit.until('all have ended', () => hasEnded(pit, 'done', 'paid') && hasEnded(pit, 'failed', 'broken') && isIn(pit, 'needs', 'asks') && fs.readdirSync(pit.layout.dir('failed')).some((name) => name.includes('.refused-') && name.endsWith('.md')), 60_000);
      expect(await pit.ok('logs', 'paid')).toBe(follow.output());
      expect(await pit.ok('logs', '--terminal', 'paid')).toContain('on its terminal');
      expect(await pit.ok('logs', 'broken')).toBe('about to break\n');
      // A part of the log that was rotated and packed meanwhile.
      const at = Date.now() - 60_000;
      fs.writeFileSync(join(pit.layout.log, 'events-20991231T235959999Z.jsonl.gz'), gzipSync(`${JSON.stringify({ kind: 'orphans-ended', marker: 'm', rule: 'r', killed: 3, v: 1, at })}\n${JSON.stringify({ kind: 'orphans-ended', marker: 'm', rule: 'r', killed: 99, v: 1, at: at - 86_400_000 })}\n`));
      const text = await pit.ok('report');
      expect(text).toMatch(/^# 3 tasks: 1 done, 1 failed, 1 asks you\n\nFrom /);
      for (const part of ['- `asks` asks you (asked) since ', ': which colour\n  - `snakepit show asks`, then `snakepit answer asks \'TEXT\'`', '- `broken` failed ', 'exit-status: it exited with status 3', 'then `snakepit retry broken`', 'the file `bad.md` was not taken in: line 2: ', '- `paid` ', '3 processes that belonged to nobody', 'spender  100    10', 'cost most: `paid` $0.0003']) expect(text).toContain(part);
      expect(text.indexOf('## For you')).toBeLessThan(text.indexOf('## Done (1)'));
      const facts = JSON.parse(await pit.ok('report', '--since', '1h', '--json')) as { verdict: string; night: { orphans: number }; done: { tasks: { id: string }[] } };
      expect([facts.verdict, facts.night.orphans, facts.done.tasks.map(({ id }) => id)]).toEqual(['3 tasks: 1 done, 1 failed, 1 asks you', 3, ['paid']]);
      expect(await pit.ok('report', '--since', '2999-01-01')).toMatch(/^# 1 task: 0 done, 1 asks you\n/);
      expect((await pit.cli('report', '--since', 'soon')).code).toBe(64);
    }));
});
