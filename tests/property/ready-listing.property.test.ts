import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { parseReady, printReady, printWaiting, type TaskName } from '../../src/protocol/names.js';
import * as realListing from '../../src/queue/ready-listing.js';
import { forAll } from './for-all.js';
import { cleanMutants, importMutant, killedBy } from '../rig/mutants.js';

type Listing = typeof realListing;

const counters = { failures: 0, losses: 0, deferrals: 0 };
const task: fc.Arbitrary<TaskName> = fc.record({
  id: fc.constantFrom('a', 'b', 'b.1', 'b-1', 'c'),
  place: fc.record({ priority: fc.constantFrom(0, 9, 10, 50), arrivedAt: fc.constantFrom(0, 35, 36, 1_790_000_000_000) }),
  counters: fc.constantFrom(counters, { ...counters, failures: 1 }),
});
const ready = task.map(printReady);
/** What lies in ready/ and is no ready task's: the pit's business. */
const foreign = fc.oneof(task.map((name) => printWaiting({ ...name, dueAt: 7 })), task.map((name) => `.${printReady(name)}`), fc.constantFrom('README.md', '', 'PAUSED', '50-0mi8f2k3q~A~0.0.0.md'));
const name = fc.oneof({ weight: 9, arbitrary: ready }, { weight: 1, arbitrary: foreign });

const firstOf = (names: Iterable<string>): string | undefined => [...names].filter((one) => parseReady(one) !== undefined).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))[0];

type Call = { readonly kind: 'fill'; readonly names: readonly string[] } | { readonly kind: 'offer'; readonly name: string } | { readonly kind: 'take' };
const call: fc.Arbitrary<Call> = fc.oneof(
  { weight: 1, arbitrary: fc.uniqueArray(name, { maxLength: 12 }).map((names) => ({ kind: 'fill' as const, names })) },
  { weight: 6, arbitrary: name.map((one) => ({ kind: 'offer' as const, name: one })) },
  { weight: 6, arbitrary: fc.constant({ kind: 'take' as const }) },
);

/** The listing is a set of which the first is taken: nothing in it twice, nothing forgotten, nothing before its turn. */
const isASortedSet = (m: Listing): void =>
  forAll(fc.array(call, { maxLength: 80 }), (calls) => {
    const listing = new m.ReadyListing();
    let model = new Set<string>();
    for (const one of calls) {
      if (one.kind === 'fill') {
        listing.fill(one.names);
        model = new Set(one.names.filter((each) => parseReady(each) !== undefined));
      } else if (one.kind === 'offer') {
        listing.offer(one.name);
        if (parseReady(one.name) !== undefined) model.add(one.name);
      } else {
        const first = firstOf(model);
        expect(listing.take()).toBe(first);
        if (first !== undefined) model.delete(first);
      }
      expect(listing.left).toBe(model.size);
    }
  }, 1500);

type Event = readonly ['arrives' | 'goes' | 'claim' | 'rescan' | 'hear' | 'deaf', string];
const event: fc.Arbitrary<Event> = fc.tuple(fc.constantFrom('arrives', 'arrives', 'arrives', 'goes', 'claim', 'claim', 'claim', 'rescan', 'hear', 'hear', 'hear', 'deaf'), name);

/** A directory that others change too, heard of in order; with `late`, some time after, or never. */
const worked = (m: Listing, late: boolean, events: readonly Event[]): void => {
  const listing = new m.ReadyListing();
  const dir = new Set<string>();
  let unheard: string[] = [];
  let missed = true;
  const rescan = (): void => {
    listing.fill([...dir]);
    // What was to be heard is heard of a directory that has been listed since; it comes all the same.
    missed = false;
  };
  const changed = (of: string): void => {
    if (late) unheard.push(of);
    else listing.offer(of);
  };
  const claim = (): string | undefined => {
    for (let relisted = false; ; ) {
      const next = listing.take();
      if (next !== undefined && dir.has(next)) return next;
      if (next === undefined && relisted) return undefined;
      if (next === undefined) {
        rescan();
        relisted = true;
      }
    }
  };
  rescan();
  for (const [what, of] of events) {
    if (what === 'arrives' && !dir.has(of)) changed((dir.add(of), of));
    else if (what === 'goes' && dir.delete(of)) changed(of);
    else if (what === 'rescan') rescan();
    else if (what === 'hear') unheard.splice(0, 1).forEach((one) => listing.offer(one));
    else if (what === 'deaf') missed = unheard.splice(0, 1).length > 0 || missed;
    else if (what === 'claim') {
      const wanted = firstOf(dir);
      const heardAll = unheard.length === 0 && !missed;
      const claimed = claim();
      if (heardAll) expect(claimed).toBe(wanted);
      else expect([claimed === undefined, claimed === undefined || dir.has(claimed)]).toEqual([wanted === undefined, true]);
      if (claimed === undefined) continue;
      expect(parseReady(claimed)).toBeDefined();
      dir.delete(claimed);
      changed(claimed);
    }
  }
  for (let left = [...dir].filter((one) => parseReady(one) !== undefined).length; left > 0; left -= 1) expect(dir.delete(claim() ?? 'nothing')).toBe(true);
  expect(claim()).toBeUndefined();
};

const claimsAsListing = (m: Listing): void => forAll(fc.array(event, { maxLength: 80 }), (events) => worked(m, false, events), 1000);
const claimsAllThatIsThere = (m: Listing): void => forAll(fc.array(event, { maxLength: 80 }), (events) => worked(m, true, events), 1000);

const byPriorityThenArrival = (m: Listing): void => {
  const place = fc.record({ priority: fc.nat(99), arrivedAt: fc.oneof(fc.nat(50), fc.integer({ min: 1_700_000_000_000, max: 1_900_000_000_000 })) });
  forAll(fc.tuple(fc.array(place, { maxLength: 30 }), fc.nat(30)), ([places, listed]) => {
    const listing = new m.ReadyListing();
    const names = places.map((one, index) => printReady({ id: `t${index}`, place: one, counters }));
    listing.fill(names.slice(0, listed));
    for (const one of names.slice(listed)) listing.offer(one);
    const taken = names.map(() => parseReady(listing.take() ?? '')?.place);
    expect(taken).toEqual(places.toSorted((a, b) => a.priority - b.priority || a.arrivedAt - b.arrivedAt));
  });
};

const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => printReady({ id: 't', place: { priority: 50, arrivedAt: 1000 + index * 2 }, counters }));
const between = (one: string): string => {
  const of = parseReady(one);
  if (of === undefined) throw new Error(one);
  return printReady({ ...of, place: { ...of.place, arrivedAt: of.place.arrivedAt + 1 } });
};

/** So many that what was handed out is thrown away in between: each is claimed in its turn, heard of again, and found missing. */
const longBacklog = (m: Listing): void => {
  const names = numbered(9000);
  const listing = new m.ReadyListing();
  listing.fill(names);
  for (const [index, one] of names.entries()) {
    if (listing.take() !== one) throw new Error(`not the first at ${index}`);
    const arrived = index % 3 === 0 ? [one, between(one)] : [one];
    for (const each of arrived) listing.offer(each);
    for (const each of arrived) if (listing.take() !== each) throw new Error(`not heard of at ${index}`);
    if (listing.left !== names.length - index - 1) throw new Error(`${listing.left} left at ${index}`);
  }
  expect(listing.take()).toBeUndefined();
};

/** A claim costs nothing of the backlog's depth: of this process's own time, whatever else the machine does, 10⁵ take 0.1 s; with all names moved up at each, several seconds. */
const deepIsNotSlow = (m: Listing): void => {
  const listing = new m.ReadyListing();
  listing.fill(numbered(200_000));
  const startedAt = process.cpuUsage();
  for (let claim = 0; claim < 100_000; claim += 1) {
    const one = listing.take() ?? '';
    listing.offer(one);
    if (listing.take() !== one) throw new Error('not heard of');
    if (claim % 50 === 0 && process.cpuUsage(startedAt).user > 500_000) throw new Error(`${claim} claims in 0.5 s`);
  }
};

const bytesInOrder = (m: Listing): void =>
  forAll(fc.tuple(fc.oneof(ready, fc.string({ unit: 'grapheme-ascii' })), fc.oneof(ready, fc.string({ unit: 'grapheme-ascii' }))), ([a, b]) => expect(m.byteOrder(a, b)).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b))));

describe('the listing of ready/', () => {
  it('is a sorted set of what it was told', () => isASortedSet(realListing));
  it('gives each claim what listing anew would give', () => claimsAsListing(realListing));
  it('gives all that is there, though others take, and events come late or never', () => claimsAllThatIsThere(realListing));
  it('goes by priority, then by arrival', () => byPriorityThenArrival(realListing));
  it('stays right over a long backlog', () => longBacklog(realListing));
  it('is not slower when it is deep', () => deepIsNotSlow(realListing));
  it('compares bytes', () => bytesInOrder(realListing));
});

describe('planted faults are noticed', () => {
  afterAll(cleanMutants);
  const faults: readonly (readonly [string, string, string, (m: Listing) => void])[] = [
    ['the listing is not sorted', '.sort(byteOrder)', '', byPriorityThenArrival],
    ['the early ones come last', 'early < listed', 'early > listed', claimsAsListing],
    ['a name is put where it has been passed', 'let low = this.next', 'let low = 0', isASortedSet],
    ['a name is put behind itself, twice', "?? '') < name", "?? '') <= name", isASortedSet],
    ['what was offered outlives a fresh listing', 'this.early = new Line([]);', '', isASortedSet],
    ['any file may be offered', 'if (parseReady(name) === undefined)', 'if (false)', isASortedSet],
    ['any file may be listed', 'parseReady(name) !== undefined', 'true', claimsAllThatIsThere],
    ['a shorter line is read from where it was', 'this.next = 0;', '', longBacklog],
    ['all are put into the listing itself', 'head !== undefined && name < head ? this.early : this.listed', 'head === name ? this.early : this.listed', deepIsNotSlow],
  ];
  it.each(faults)('%s', async (_what, find, replace, property) => {
    expect(await killedBy<Listing>(property, await importMutant('queue/ready-listing.js', find, replace))).toBe(true);
  });
});
