import { describe, expect, it } from 'vitest';
import { decode, NAMED, type Key } from '../../src/cli/top/input.js';
import { key } from '../../src/cli/top/keys.js';
import { PANES, type Action, type Mode, type Model, type TaskDetail, type Ui } from '../../src/cli/top/state.js';
import { modelOf, sessions, tasks, uiOf } from './model.js';

const SIZE = { cols: 120, rows: 40 };
const char = (one: string): Key => ({ kind: 'char', char: one });
const named = (name: (typeof NAMED)[number]): Key => ({ kind: 'named', name });
const lists = { queue: [...tasks(2, 'ready'), ...tasks(1, 'waiting')], done: tasks(50, 'done'), failed: [...tasks(3, 'failed'), ...tasks(1, 'refused')], needs: tasks(2, 'needs'), held: tasks(1, 'held'), stuck: tasks(1, 'stuck') };
const full = modelOf({ sessions: sessions(60), tasks: lists, events: ['a', 'b', 'c'] });

/** Types these keys one after the other; the last action that was not nothing. */
function play(ui: Ui, model: Model, ...keys: readonly Key[]): { ui: Ui; action: Action } {
  let action: Action = { kind: 'none' };
  for (const one of keys) {
    const step = key(ui, one, model, SIZE);
    ui = step.ui;
    if (step.action.kind !== 'none') action = step.action;
  }
  return { ui, action };
}
const type = (text: string): Key[] => [...text].map(char);

describe('keys', () => {
  const modes: Mode[] = [{ kind: 'browsing' }, { kind: 'helping', offset: 0 }, { kind: 'asking', question: '?', yes: { kind: 'cancel', id: 'x' } }, { kind: 'typing', what: { kind: 'filter' }, text: 'a' }, { kind: 'typing', what: { kind: 'nudge', name: 's1' }, text: 'a' }, { kind: 'typing', what: { kind: 'ping', names: ['s1', 's2'] }, text: '' }, { kind: 'typing', what: { kind: 'answer', id: 'x' }, text: '' }, { kind: 'typing', what: { kind: 'reject', id: 'x' }, text: 'a' }];
  const every: Key[] = [...Array.from({ length: 95 }, (_, at) => char(String.fromCharCode(32 + at))), ...NAMED.map(named), ...[...'abcdefghijklmnopqrstuvwxyz'].map((one): Key => ({ kind: 'ctrl', char: one })), { kind: 'paste', text: 'q\ny\n' }, { kind: 'click', x: 3, y: 7 }, { kind: 'wheel', by: 1, x: 3, y: 7 }];

  it('every key in every mode and pane has an answer; only y and Enter do anything that was asked or typed', () => {
    for (const model of [full, modelOf(), modelOf({ pit: { kind: 'none' } }), modelOf({ pit: { kind: 'dead', pid: 1 } })]) {
      for (const focus of PANES) {
        for (const mode of modes) {
          for (const one of every) {
            const { ui, action } = key(uiOf({ focus, list: focus === 'sessions' ? 'queue' : focus, mode }), one, model, SIZE);
            expect(PANES).toContain(ui.focus);
            if (mode.kind === 'asking' && action.kind !== 'none' && one.kind !== 'ctrl') expect([one, action]).toEqual([expect.objectContaining({ char: expect.stringMatching(/y/i) as string }), mode.yes]);
            if (mode.kind === 'typing' && action.kind !== 'none' && one.kind !== 'ctrl') expect(one).toEqual(named('enter'));
            if (one.kind === 'paste') expect(action.kind).toBe('none');
            if (mode.kind === 'browsing') expect(['cancel', 'rerun', 'nudge', 'ping', 'answer', 'merge', 'reject']).not.toContain(action.kind);
          }
        }
      }
    }
  });

  const cases: [string, Ui, readonly Key[], Action][] = [
    ['Enter attaches', uiOf(), [named('enter')], { kind: 'attach', name: 'task-1' }],
    ['a attaches the one below', uiOf(), [named('down'), named('down'), char('a')], { kind: 'attach', name: 'task-3' }],
    ['n and a line nudge', uiOf(), [char('n'), ...type('go on'), named('enter')], { kind: 'nudge', name: 'task-1', text: 'go on' }],
    ['a filter, then N pings whom it leaves', uiOf(), [char('/'), ...type('task-60'), named('enter'), char('N'), ...type('hey'), named('enter')], { kind: 'ping', names: ['task-60'], text: 'hey' }],
    ['x and y kill', uiOf(), [char('x'), char('y')], { kind: 'cancel', id: 'task-1' }],
    ['x and n do not', uiOf(), [char('x'), char('n')], { kind: 'none' }],
    ['retry', uiOf({ focus: 'failed' }), [char('r')], { kind: 'retry', id: 'failed-1' }],
    ['rerun asks', uiOf({ focus: 'done' }), [char('r'), char('y')], { kind: 'rerun', id: 'done-1' }],
    ['merge asks', uiOf({ focus: 'done' }), [char('m')], { kind: 'none' }],
    ['merge, and y', uiOf({ focus: 'done' }), [char('m'), char('y')], { kind: 'merge', id: 'done-1' }],
    ['merge, and n', uiOf({ focus: 'done' }), [char('m'), char('n')], { kind: 'none' }],
    ['a reason, Enter and y reject', uiOf({ focus: 'done' }), [char('R'), ...type('not so'), named('enter'), char('y')], { kind: 'reject', id: 'done-1', text: 'not so' }],
    ['a reason and Enter only ask', uiOf({ focus: 'done' }), [char('R'), ...type('not so'), named('enter')], { kind: 'none' }],
    ['Esc in the reason leaves it', uiOf({ focus: 'done' }), [char('R'), ...type('y'), named('escape'), char('y')], { kind: 'none' }],
    ['reject without a reason', uiOf({ focus: 'needs' }), [char('R'), named('enter'), char('y')], { kind: 'reject', id: 'needs-2', text: '' }],
    ['what failed can be rejected', uiOf({ focus: 'failed' }), [char('R'), named('enter'), char('y')], { kind: 'reject', id: 'failed-1', text: '' }],
    ['but not merged', uiOf({ focus: 'failed' }), [char('m'), char('y')], { kind: 'none' }],
    ['nor what stands in line', uiOf({ focus: 'queue' }), [char('m'), char('y'), char('R')], { kind: 'none' }],
    ['hold', uiOf({ focus: 'queue' }), [char('h')], { kind: 'hold', id: 'ready-1' }],
    ['release', uiOf({ focus: 'held' }), [char('h')], { kind: 'release', id: 'held-1' }],
    ['answer: the one that has waited longest stands first', uiOf({ focus: 'needs' }), [char('a'), ...type('yes, but slowly'), named('enter')], { kind: 'answer', id: 'needs-2', text: 'yes, but slowly' }],
    ['an empty answer asks', uiOf({ focus: 'needs' }), [char('a'), named('enter'), char('y')], { kind: 'answer', id: 'needs-2', text: '' }],
    ['a paste is text', uiOf(), [char('n'), { kind: 'paste', text: 'one\ntwo\n' }, named('enter')], { kind: 'nudge', name: 'task-1', text: 'one two' }],
    ['backspace, C-w', uiOf(), [char('n'), ...type('a bc'), { kind: 'ctrl', char: 'w' }, ...type('dx'), named('backspace'), named('enter')], { kind: 'nudge', name: 'task-1', text: 'a d' }],
    ['pause', uiOf(), [char('p')], { kind: 'pause' }],
    ['three times +', uiOf(), [char('+'), char('+'), char('+')], { kind: 'scale', to: 63 }],
    ['one less', uiOf(), [char('-')], { kind: 'scale', to: 59 }],
    ['story', uiOf({ focus: 'done' }), [char('s')], { kind: 'view', what: 'show', name: 'done-1' }],
    ['log', uiOf(), [char('l')], { kind: 'view', what: 'logs', name: 'task-1' }],
    ['diff', uiOf({ focus: 'done' }), [char('d')], { kind: 'view', what: 'diff', name: 'done-1' }],
    ['diff of what runs', uiOf(), [char('d')], { kind: 'view', what: 'diff', name: 'task-1' }],
    ['quit', uiOf(), [char('q')], { kind: 'quit' }],
    ['C-c quits', uiOf(), [{ kind: 'ctrl', char: 'c' }], { kind: 'quit' }],
    ['C-c in a line only leaves it', uiOf(), [char('n'), { kind: 'ctrl', char: 'c' }], { kind: 'none' }],
    ['q in a line is a letter', uiOf(), [char('n'), char('q'), named('enter')], { kind: 'nudge', name: 'task-1', text: 'q' }],
  ];
  it.each(cases)('%s', (_name, ui, keys, action) => expect(play(ui, full, ...keys).action).toEqual(action));

  it.each<[TaskDetail['branch'], string | undefined]>([['left', undefined], [undefined, undefined], ['none', 'done-1 has no branch with a change'], ['merged', 'done-1 is merged'], ['proposed', 'done-1 is proposed: it is merged there']])('merge and reject with a branch that is %s', (branch, why) => {
    const model = modelOf({ tasks: lists, details: new Map([['done/done-1', { note: '', attempt: 1, agent: 'a', tookMs: 1, tokens: undefined, ...(branch === undefined ? {} : { branch }) }]]) });
    for (const one of ['m', 'R']) {
      const { ui } = play(uiOf({ focus: 'done' }), model, char(one));
      expect([ui.notice?.text, ui.mode.kind]).toEqual(why === undefined ? [undefined, one === 'm' ? 'asking' : 'typing'] : [why, 'browsing']);
    }
  });

  it('at 40 columns a question keeps what y means, and the hints are whole', async () => {
    const { footerLine } = await import('../../src/cli/top/frame-footer.js');
    const text = (ui: Ui, cols: number): string => footerLine(full, ui, cols).map((one) => one.text).join('');
    const { ui } = play(uiOf({ focus: 'done' }), full, char('m'));
    expect(text(ui, 80)).toBe('merge done-1?  y: yes  any other key: no');
    const long: Ui = { ...ui, mode: { kind: 'asking', question: `merge ${'x'.repeat(60)}?`, yes: { kind: 'none' } } };
    expect(text(long, 40)).toBe(`merge ${'x'.repeat(29)}… y/n`);
    expect(text(long, 40)).toHaveLength(40);
    expect(play(ui, full, char('y')).ui.notice?.text).toBe('merging done-1; its checks may take a while');
    const left = modelOf({ tasks: lists, details: new Map([['done/done-1', { note: '', attempt: 1, agent: 'a', tookMs: 1, tokens: undefined, branch: 'left' as const }]]) });
    expect(footerLine(left, uiOf({ focus: 'done' }), 40).map((one) => one.text).join('')).toBe('s story  l log  m merge  R reject  d diff'.slice(0, 33));
  });

  it('no pit: + asks, then starts one; - says why not', () => {
    const none = modelOf({ pit: { kind: 'none' } });
    expect(play(uiOf(), none, char('+'), char('y')).action).toEqual({ kind: 'scale', to: undefined });
    expect(play(uiOf(), none, char('-')).ui.notice?.text).toBe('no pit is running');
  });

  it('the cursor stays on its row when the list moves, and on the list when its row goes', () => {
    const { ui } = play(uiOf({ focus: 'failed' }), full, named('down'), named('down'));
    const moved = modelOf({ tasks: { ...lists, failed: [...tasks(9, 'refused'), ...lists.failed] } });
    expect(key(ui, char('r'), moved, SIZE).action).toEqual({ kind: 'retry', id: 'failed-2' });
    const gone = modelOf({ tasks: { ...lists, failed: lists.failed.slice(0, 1) } });
    expect(key(ui, char('r'), gone, SIZE).action).toEqual({ kind: 'retry', id: 'failed-1' });
  });

  it('a click selects what is under it; the wheel scrolls', async () => {
    const { frame } = await import('../../src/cli/top/frame.js');
    const lines = frame(full, SIZE, uiOf(), 'plain');
    const y = lines.findIndex((line) => line.startsWith('s7 '));
    expect(play(uiOf(), full, { kind: 'click', x: 2, y }, char('e')).action).toEqual({ kind: 'view', what: 'explain', name: 's7' });
    const tabs = lines.find((line) => line.includes('sessions 60')) ?? '';
    expect(play(uiOf(), full, { kind: 'click', x: tabs.indexOf('failed'), y: lines.indexOf(tabs) }).ui.focus).toBe('failed');
    expect(play(uiOf(), full, { kind: 'wheel', by: 1, x: 2, y }, char('l')).action).toEqual({ kind: 'view', what: 'logs', name: 'task-4' });
  });
});

describe('what a terminal sends', () => {
  const sent: [string, readonly Key[]][] = [
    ['a\r\t\u007f\u0003', [char('a'), named('enter'), named('tab'), named('backspace'), { kind: 'ctrl', char: 'c' }]],
    ['\u001b[A\u001bOB\u001b[Z\u001b[5~\u001b[1;5C', [named('up'), named('down'), named('back-tab'), named('page-up'), named('right')]],
    ['\u001b[<0;4;8M\u001b[<0;4;8m\u001b[<64;1;1M\u001b[<65;1;2M', [{ kind: 'click', x: 3, y: 7 }, { kind: 'wheel', by: -1, x: 0, y: 0 }, { kind: 'wheel', by: 1, x: 0, y: 1 }]],
    ['\u001b[200~q\u001b[Ay\u001b[201~x', [{ kind: 'paste', text: 'q\u001b[Ay' }, char('x')]],
    ['漢👍', [char('漢'), char('👍')]],
    ['\u001b[99;99X\u001b[?1;2c', []],
  ];
  it.each(sent)('%j', (text, keys) => {
    expect(decode(text, true).keys).toEqual(keys);
    // Cut anywhere, it means the same.
    for (let at = 1; at < text.length; at += 1) {
      const first = decode(text.slice(0, at));
      if (/[\ud800-\udbff]$/.test(text.slice(0, at))) continue;
      expect([...first.keys, ...decode(first.rest + text.slice(at), true).keys]).toEqual(keys);
    }
  });
  it('a lone escape is the key, once nothing follows', () => {
    expect(decode('\u001b')).toEqual({ keys: [], rest: '\u001b' });
    expect(decode('\u001b', true).keys).toEqual([named('escape')]);
  });
});
