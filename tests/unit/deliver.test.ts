import { describe, expect, it } from 'vitest';
import { decide, isFit } from '../../src/agents/deliver/decide.js';
import { acted, begin, note } from '../../src/agents/deliver/note.js';
import type { Composer, DeliveryPolicy, DeliveryState, DeliveryStep, Person, Proof, Sight } from '../../src/agents/deliver/state.js';
import { asFileRef, clean, composerOf, heldBefore, isIntact, SHORT_LINE } from '../../src/agents/deliver/text.js';
import { targetOf } from '../../src/agents/deliver/target.js';
import { submitPart } from '../../src/agents/profile.js';
import { AGENT_STATES } from '../../src/protocol/agent-state.js';

const POLICY: DeliveryPolicy = {
  patienceMs: 10_000, lookEveryMs: 100, calmLooks: 2, settleMs: 1000, fresh: false, landMs: 8000, stillLooks: 3, delayMs: 300, retryMs: 1500, maxKeys: 5,
  proofMs: 20_000, graceMs: 2000, busy: 'type', records: true,
};
const NOW = 100_000;
type Seen = Extract<Sight, { kind: 'seen' }>;
const SEEN: Seen = { kind: 'seen', inMode: false, person: 'absent', agent: 'idle', dialog: undefined, composer: 'empty', draft: '' };
const seen = (change: Partial<Seen>): Seen => ({ ...SEEN, ...change });
const clear = (change: object = {}): DeliveryState => ({ phase: 'clear', sinceMs: NOW - 500, calm: 2, fitSinceMs: NOW - 400, fresh: false, ...change });
const pasted = (change: object = {}): DeliveryState => ({ phase: 'pasted', sinceMs: NOW - 1000, still: 3, stillSinceMs: NOW - 400, draft: '', ...change });
const keyed = (change: object = {}): DeliveryState => ({ phase: 'keyed', sinceMs: NOW - 3000, keys: 1, keyedAtMs: NOW - 2500, busy: false, left: 0, leftSinceMs: NOW, worked: false, ...change });
const LEFT = { left: 2, leftSinceMs: NOW - 2000 };
const NONE: Proof = { kind: 'none' };
const EXACT: Proof = { kind: 'recorded', source: 'event', what: 'UserPromptSubmit' };
const GROWN: Proof = { kind: 'grown', source: 'transcript', what: 'grew' };
const OTHER: Proof = { kind: 'altered', what: 'not this' };
const OLD = { sinceMs: NOW - 10_000 };
const summary = (step: DeliveryStep): string => {
  if (step.kind === 'key') return `key ${step.again}${step.busy ? ' busy' : ''}`;
  if (step.kind !== 'end') return step.kind;
  const { receipt } = step;
  return receipt.kind === 'submitted' ? `submitted ${receipt.proof}` : receipt.kind === 'queued' ? 'queued' : `${receipt.kind} ${receipt.reason}`;
};

describe('decide', () => {
  it.each<[string, DeliveryState, Sight, Proof, string, Partial<DeliveryPolicy>?]>([
    ['clear, ready', clear(), SEEN, NONE, 'paste'],
    ['clear, ready for one look', clear({ calm: 1 }), SEEN, NONE, 'wait'],
    ['clear, a composer that is new', clear({ fresh: true }), SEEN, NONE, 'wait'],
    ['clear, a composer that was new a second ago', clear({ fresh: true, fitSinceMs: NOW - 1000 }), SEEN, NONE, 'paste'],
    ['clear, it works', clear(), seen({ agent: 'working' }), NONE, 'paste'],
    ['clear, it works and takes no text', clear(), seen({ agent: 'working' }), NONE, 'wait', { busy: 'wait' }],
    ['clear, it worked for too long', clear(OLD), seen({ agent: 'retrying' }), NONE, 'refused busy', { busy: 'wait' }],
    ['clear, copy mode', clear(), seen({ inMode: true }), NONE, 'leave-mode'],
    ['clear, copy mode that stays', clear(OLD), seen({ inMode: true }), NONE, 'refused in-mode'],
    ['clear, copy mode of one who types', clear(), seen({ inMode: true, person: 'typing' }), NONE, 'wait'],
    ['clear, somebody types', clear(), seen({ person: 'typing' }), NONE, 'wait'],
    ['clear, somebody types all the time', clear(OLD), seen({ person: 'typing' }), NONE, 'refused person'],
    ['clear, somebody is attached', clear(), seen({ person: 'quiet' }), NONE, 'paste'],
    ['clear, a draft', clear(), seen({ composer: 'foreign', draft: 'x' }), NONE, 'wait'],
    ['clear, a draft that stays', clear(OLD), seen({ composer: 'foreign', draft: 'x' }), NONE, 'refused draft'],
    ['clear, a folded draft that stays', clear(OLD), seen({ composer: 'folded' }), NONE, 'refused draft'],
    ['clear, this very text', clear(), seen({ composer: 'ours' }), NONE, 'resume'],
    ['clear, a dialog', clear(), seen({ dialog: 'trust' }), NONE, 'wait'],
    ['clear, a dialog that stays', clear(OLD), seen({ dialog: 'trust', composer: 'none' }), NONE, 'refused dialog'],
    ['clear, asks for permission, box or no box', clear(OLD), seen({ agent: 'blocked-on-permission' }), NONE, 'refused dialog'],
    ['clear, no composer', clear(OLD), seen({ composer: 'none' }), NONE, 'refused no-composer'],
    ['clear, unknown is not idle', clear(OLD), seen({ agent: 'unknown' }), NONE, 'refused not-ready'],
    ['clear, dead', clear(), { kind: 'dead' }, NONE, 'refused dead'],
    ['clear, gone', clear(), { kind: 'gone' }, NONE, 'refused gone'],
    ['clear, cannot be seen', clear(), { kind: 'unseen', why: 'x' }, NONE, 'wait'],
    ['clear, cannot be seen for long', clear(OLD), { kind: 'unseen', why: 'x' }, NONE, 'refused unseen'],
    ['pasted, stands still', pasted(), seen({ composer: 'ours' }), NONE, 'key 0'],
    ['pasted, folded, stands still', pasted(), seen({ composer: 'folded' }), NONE, 'key 0'],
    ['pasted, stands still, it works', pasted(), seen({ composer: 'ours', agent: 'working' }), NONE, 'key 0 busy'],
    ['pasted, stands still, began to work and takes no key', pasted(), seen({ composer: 'ours', agent: 'working' }), NONE, 'wait', { busy: 'wait' }],
    ['pasted, two looks', pasted({ still: 2 }), seen({ composer: 'ours' }), NONE, 'wait'],
    ['pasted, before its delay', pasted({ stillSinceMs: NOW - 299 }), seen({ composer: 'ours' }), NONE, 'wait'],
    ['pasted, not there yet', pasted(), seen({}), NONE, 'wait'],
    ['pasted, never there', pasted(OLD), seen({}), NONE, 'unconfirmed not-landed'],
    ['pasted, with somebody\'s words', pasted(OLD), seen({ composer: 'mixed' }), NONE, 'unconfirmed mixed'],
    ['pasted, a dialog', pasted(), seen({ composer: 'ours', dialog: 'x' }), NONE, 'wait'],
    ['pasted, a dialog that stays', pasted(OLD), seen({ composer: 'none', dialog: 'x' }), NONE, 'unconfirmed dialog'],
    ['pasted, somebody types', pasted(), seen({ composer: 'ours', person: 'typing' }), NONE, 'wait'],
    ['pasted, copy mode', pasted(), seen({ composer: 'ours', inMode: true }), NONE, 'leave-mode'],
    ['pasted, dead', pasted(), { kind: 'dead' }, NONE, 'unconfirmed dead'],
    ['pasted, and recorded: it submits by itself', pasted(), { kind: 'dead' }, EXACT, 'submitted event'],
    ['pasted, never still for a key', pasted({ sinceMs: NOW - 18_000 }), seen({ composer: 'ours' }), NONE, 'unconfirmed not-landed'],
    ['keyed, recorded', keyed(), seen({ composer: 'ours' }), EXACT, 'submitted event'],
    ['keyed, recorded, then dead', keyed(), { kind: 'dead' }, EXACT, 'submitted event'],
    ['keyed, dead a moment ago', keyed({ keyedAtMs: NOW - 100 }), { kind: 'dead' }, NONE, 'wait'],
    ['keyed, dead', keyed(), { kind: 'dead' }, NONE, 'unconfirmed dead'],
    ['keyed a moment ago, still there', keyed({ keyedAtMs: NOW - 1499 }), seen({ composer: 'ours' }), NONE, 'wait'],
    ['keyed, still there', keyed(), seen({ composer: 'ours' }), NONE, 'key 1'],
    ['keyed five times, still there', keyed({ keys: 5 }), seen({ composer: 'ours' }), NONE, 'unconfirmed stuck'],
    ['keyed, still there, a dialog', keyed(), seen({ composer: 'ours', dialog: 'x' }), NONE, 'wait'],
    ['keyed, still there, somebody types', keyed(), seen({ composer: 'ours', person: 'typing' }), NONE, 'wait'],
    ['keyed, still there, with more', keyed(), seen({ composer: 'mixed' }), NONE, 'wait'],
    ['keyed, still there, copy mode', keyed(), seen({ composer: 'ours', inMode: true }), NONE, 'leave-mode'],
    ['keyed, left', keyed(LEFT), seen({}), NONE, 'wait'],
    ['keyed, left, and works', keyed({ ...LEFT, worked: true }), seen({ agent: 'working' }), NONE, 'submitted busy'],
    ['keyed, left a moment ago, and works', keyed({ left: 2, leftSinceMs: NOW - 1999, worked: true }), seen({ agent: 'working' }), NONE, 'wait'],
    ['keyed, left, and worked', keyed({ ...LEFT, worked: true }), seen({}), NONE, 'submitted busy'],
    ['keyed while it worked, left', keyed({ ...LEFT, busy: true }), seen({ agent: 'working' }), NONE, 'queued'],
    ['keyed, left for one look', keyed({ left: 1, leftSinceMs: NOW - 9000, worked: true }), seen({}), NONE, 'wait'],
    ['keyed, left, something recorded', keyed(LEFT), seen({}), GROWN, 'submitted transcript'],
    ['keyed, left, another prompt recorded', keyed({ ...LEFT, worked: true }), seen({}), OTHER, 'unconfirmed altered'],
    ['keyed, left, nothing recorded where it should be', keyed({ ...LEFT, keyedAtMs: NOW - 20_000 }), seen({}), NONE, 'unconfirmed unrecorded'],
    ['keyed, left, no records are kept', keyed(LEFT), seen({}), NONE, 'submitted emptied', { records: false }],
    ['keyed, left to a dialog', keyed(LEFT), seen({ composer: 'none', dialog: 'x' }), NONE, 'wait'],
    ['keyed, left to a dialog that stays', keyed({ ...LEFT, keyedAtMs: NOW - 20_000 }), seen({ composer: 'none', dialog: 'x' }), NONE, 'unconfirmed dialog'],
  ])('%s', (_name, state, sight, proof, wanted, policy = {}) => {
    expect(summary(decide({ ...POLICY, ...policy }, state, sight, proof, NOW))).toBe(wanted);
  });

  it('is total over every class of states, looks and records, names its rule, and keeps its promises', () => {
    const ages = [0, 400, 2000, 9000, 30_000];
    const states: DeliveryState[] = ages.flatMap((age) => [
      ...[0, 2].flatMap((calm) => [true, false].map((fresh) => clear({ sinceMs: NOW - age, calm, fresh }))),
      ...[0, 3].map((still) => pasted({ sinceMs: NOW - age, still })),
      ...[1, 5].flatMap((keys) => [true, false].flatMap((busy) => [true, false].flatMap((worked) => [0, 2].map((left) => keyed({ keyedAtMs: NOW - age, keys, busy, worked, left, leftSinceMs: NOW - age }))))),
    ]);
    const sights: Sight[] = [{ kind: 'gone' }, { kind: 'dead' }, { kind: 'unseen', why: 'x' }];
    for (const agent of AGENT_STATES)
      for (const composer of ['none', 'empty', 'ours', 'folded', 'mixed', 'foreign'] satisfies Composer[])
        for (const person of ['absent', 'quiet', 'typing'] satisfies Person[])
          for (const dialog of [undefined, 'trust']) for (const inMode of [true, false]) sights.push(seen({ agent, composer, person, dialog, inMode }));
    let count = 0;
    const kinds = new Set<string>();
    for (const busy of ['type', 'wait'] as const)
      for (const records of [true, false])
        for (const state of states)
          for (const sight of sights)
            for (const proof of [NONE, EXACT, GROWN, OTHER]) {
              const step = decide({ ...POLICY, busy, records }, state, sight, proof, NOW);
              const bad = broken(step, state, sight, proof);
              if (bad !== '') throw new Error(`${bad}: ${JSON.stringify({ state, sight, proof, step })}`);
              kinds.add(summary(step));
              count += 1;
            }
    expect(count).toBe(2 * 2 * (5 * (4 + 2 + 16)) * (3 + AGENT_STATES.length * 6 * 3 * 2 * 2) * 4);
    expect([...kinds].filter((kind) => !/ /.test(kind)).sort()).toEqual(['leave-mode', 'paste', 'queued', 'resume', 'wait']);
  });
});

/** Which promise a step breaks; none: ''. */
function broken(step: DeliveryStep, state: DeliveryState, sight: Sight, proof: Proof): string {
  const types = step.kind === 'paste' || step.kind === 'key' || step.kind === 'resume';
  if ((step.kind === 'end' ? step.receipt.rule : step.rule) === '') return 'no rule';
  if (types && sight.kind !== 'seen') return 'typed unseen';
  if (types && sight.kind === 'seen' && (sight.person === 'typing' || sight.dialog !== undefined || sight.inMode || sight.agent.startsWith('blocked'))) return 'typed at a person, a dialog or copy mode';
  if (step.kind === 'paste' && (sight.kind !== 'seen' || sight.composer !== 'empty' || state.phase !== 'clear')) return 'pasted over something, or twice';
  if (step.kind === 'key' && (sight.kind !== 'seen' || (sight.composer !== 'ours' && sight.composer !== 'folded'))) return 'a key without our text';
  if (step.kind === 'leave-mode' && sight.kind === 'seen' && sight.person === 'typing') return 'took copy mode away from a person';
  if (step.kind !== 'end') return '';
  const { receipt } = step;
  if (receipt.kind === 'refused' && state.phase !== 'clear') return 'refused after typing';
  if (receipt.kind === 'unconfirmed' && state.phase === 'clear') return 'unconfirmed before typing';
  if (receipt.kind === 'queued' && !(state.phase === 'keyed' && state.busy)) return 'queued while idle';
  if (receipt.kind === 'submitted' && proof.kind !== 'recorded' && (state.phase !== 'keyed' || state.left < 2)) return 'submitted though the text has not left';
  if (receipt.kind === 'submitted' && proof.kind === 'altered') return 'submitted though another prompt is recorded';
  return '';
}

describe('what is remembered', () => {
  it('fit looks in a row, and whether there was no composer before', () => {
    const one = note(POLICY, begin(POLICY, 0), seen({ composer: 'none', agent: 'starting' }), 10);
    expect(one).toMatchObject({ calm: 0, fresh: true, sinceMs: 0 });
    const two = note(POLICY, one, SEEN, 20);
    const three = note(POLICY, two, SEEN, 30);
    expect([two, three]).toMatchObject([{ calm: 1, fitSinceMs: 20, fresh: true }, { calm: 2, fitSinceMs: 20 }]);
    expect(note(POLICY, three, seen({ person: 'typing' }), 40)).toMatchObject({ calm: 0, fitSinceMs: 40 });
    expect(isFit(POLICY, seen({ inMode: true }))).toBe(false);
  });

  it('how long the text stands still, and since when it has left', () => {
    const landed = note(POLICY, acted(begin(POLICY, 0), { kind: 'paste', rule: '' }, 5), seen({ composer: 'ours', draft: 'a' }), 10);
    const still = note(POLICY, landed, seen({ composer: 'ours', draft: 'a' }), 20);
    expect([landed, still]).toMatchObject([{ still: 1, stillSinceMs: 10 }, { still: 2, stillSinceMs: 10 }]);
    expect(note(POLICY, still, seen({ composer: 'ours', draft: 'ab' }), 30)).toMatchObject({ still: 1, stillSinceMs: 30 });
    expect(note(POLICY, still, seen({ composer: 'empty' }), 30)).toMatchObject({ still: 0 });
    const sent = acted(still, { kind: 'key', again: 2, busy: false, rule: '' }, 40);
    expect(sent).toMatchObject({ phase: 'keyed', keys: 3, keyedAtMs: 40, sinceMs: 5 });
    const left = note(POLICY, note(POLICY, sent, seen({ agent: 'working' }), 50), seen({}), 60);
    expect(left).toMatchObject({ left: 2, leftSinceMs: 50, worked: true });
    expect(note(POLICY, acted(still, { kind: 'key', again: 0, busy: true, rule: '' }, 40), seen({ agent: 'working' }), 50)).toMatchObject({ worked: false, busy: true });
  });
});

describe('texts', () => {
  it('lose what a terminal would obey, and nothing else', () => {
    expect(clean('a\u001b[201~\u0007\u009b\u007fb\r\nc\td\re\ud800 é😀\u200d\n\n ')).toBe('a[201~b\nc\td\ne\ufffd é😀\u200d');
  });
  it('that are longer than a short line go into a file', () => {
    expect(asFileRef('do it now \n', '/r/n.md')).toEqual({ line: 'do it now' });
    expect(asFileRef('a\nb', '/r/n.md')).toEqual({ line: 'Read the file /r/n.md and do what it says.', file: 'a\nb' });
    expect(asFileRef('x'.repeat(SHORT_LINE), '/r/n.md')).toEqual({ line: 'x'.repeat(SHORT_LINE) });
    expect(asFileRef('x'.repeat(SHORT_LINE + 1), '/r/n\n.md').line).toBe('Read the file /r/n .md and do what it says.');
  });
  const folded = targetOf(submitPart.parse({}), { patienceMs: 0 }).folded;
  const counted = [/\[Pasted text #\d+ \+(?<lines>\d+) lines\]/gu, /\[Pasted Content (?<chars>\d+) chars\]/gu];
  const long = Array.from({ length: 10 }, (_, at) => `line ${at} of the text`).join('\n');
  it.each<[string, string | undefined, string, readonly RegExp[], Composer]>([
    ['no composer', undefined, 'abc', folded, 'none'],
    ['blank', ' \u00a0\n', 'abc', folded, 'empty'],
    ['wrapped', 'a long\n line', 'a long line', folded, 'ours'],
    ['with more', 'x a long line', 'a long line', folded, 'mixed'],
    ['another', 'something', 'a long line', folded, 'foreign'],
    ['its head is lost', 'ong line', 'a long line', folded, 'foreign'],
    ['a folded paste', '[Pasted text #2 +9 lines]', long, folded, 'folded'],
    ['a folded paste of that many lines', '[Pasted text #2 +9 lines]', long, counted, 'folded'],
    ['a folded paste of fewer lines', '[Pasted text #2 +5 lines]', long, counted, 'foreign'],
    ['a folded paste of that many characters', `[Pasted Content ${long.length} chars]`, long, counted, 'folded'],
    ['a folded paste and its rest', '[Pasted text #2 +9 lines]line 9 of the text', long, folded, 'folded'],
    ['a folded paste and a word', '[Pasted text #2 +9 lines] hey', long, folded, 'mixed'],
    ['its end, in few rows', 'line 8 of the text\nline 9 of the text', long, folded, 'ours'],
    ['all but its first line, in few rows', long.split('\n').slice(1).join('\n'), long, folded, 'ours'],
    ['nearly all of it: its head is lost', long.slice(5), long, folded, 'foreign'],
    ['its beginning only', 'line 0 of the text\nline 1 of the text', long, folded, 'foreign'],
  ])('in the composer: %s', (_name, draft, text, patterns, wanted) => {
    expect(composerOf(draft, text, patterns, true)).toBe(wanted);
  });
  it('before the paste only the whole text is ours', () => {
    expect([heldBefore(undefined, 'x'), heldBefore('', 'x'), heldBefore('go', 'go'), heldBefore('a long\nline', 'a long line'), heldBefore('long line', 'a long line')]).toEqual(['none', 'empty', 'foreign', 'ours', 'foreign']);
  });
  it('are intact when wrapped, and not when a letter is missing', () => {
    expect([isIntact('<pasted_content id=1>\na\r\nb  \n</pasted_content>', 'a\nb'), isIntact('a\nb', 'a\nb'), isIntact('a\n', 'a\nb'), isIntact('a b', 'a  b')]).toEqual([true, true, false, false]);
  });
});
