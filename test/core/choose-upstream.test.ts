import { describe, expect, it } from 'vitest';
import {
  chooseUpstream,
  placeAfter,
  type Candidate,
  type Depths,
  type Place,
  type RouteFacts,
} from '../../src/core/choose-upstream.ts';

const upstream = (id: string, load = 0, rest: Partial<Candidate> = {}): Candidate => ({
  id,
  cacheDomain: id,
  load,
  limit: 256,
  ...rest,
});
const at = (id: string, holds = false): Place => ({ upstreamId: id, cacheDomain: id, holds });
const facts = (rest: Partial<RouteFacts> = {}, depths: Record<string, Partial<Depths>> = {}): RouteFacts => ({
  place: null,
  tie: 'none',
  depthsIn: (domain) => ({ liveDepth: 0, seenDepth: 0, ...depths[domain] }),
  ...rest,
});
const unasked: RouteFacts['depthsIn'] = () => {
  throw new Error('the prefixes were asked for');
};

function choice(candidates: readonly Candidate[], given: RouteFacts): string {
  const decision = chooseUpstream(candidates, given);
  return decision.kind === 'none' ? 'none' : `${decision.upstream.id} by ${decision.reason}`;
}

describe('choosing an upstream', () => {
  it('has nothing to choose without a candidate, and asks for no prefix where there is one', () => {
    expect(choice([], facts())).toBe('none');
    expect(choice([upstream('a', 1000)], facts({ depthsIn: unasked }))).toBe('a by only');
  });

  it('sends a new conversation to its longest live prefix, not to the idlest', () => {
    const live = { a: { liveDepth: 2, seenDepth: 2 }, b: { liveDepth: 5, seenDepth: 5 } };
    expect(choice([upstream('a', 0), upstream('b', 9)], facts({}, live))).toBe('b by prefix');
  });

  it('prefers the prefix that was seen further where equally much is live', () => {
    const depths = { a: { liveDepth: 2, seenDepth: 2 }, b: { liveDepth: 2, seenDepth: 7 } };
    expect(choice([upstream('a'), upstream('b', 5)], facts({}, depths))).toBe('b by prefix');
  });

  it('goes where a prefix was seen when it is live nowhere', () => {
    expect(choice([upstream('a'), upstream('b', 5)], facts({}, { b: { seenDepth: 3 } }))).toBe('b by seen');
  });

  it('goes where there is most room, relative to the limits, when nobody knows it', () => {
    const small = upstream('small', 8, { limit: 16 });
    expect(choice([small, upstream('large', 60)], facts())).toBe('large by load');
    expect(choice([upstream('a'), upstream('b')], facts())).toBe('a by load');
  });

  it('gives no new conversation to a place with more than 1.25 times the mean, however much is live there', () => {
    const live = { b: { liveDepth: 9, seenDepth: 9 } };
    const share = (load: number) => [upstream('a', 100), upstream('b', load)];
    expect(choice(share(180), facts({}, live))).toBe('b by prefix'); // 1.25 × 140 + 10 = 185
    expect(choice(share(200), facts({}, live))).toBe('a by load'); // 1.25 × 150 + 10 = 197.5
  });

  it('takes ten requests more or less for balanced, but not when they are more than a quarter of the limit', () => {
    const live = { b: { liveDepth: 9, seenDepth: 9 } };
    expect(choice([upstream('a'), upstream('b', 26)], facts({}, live))).toBe('b by prefix');
    const four = { limit: 4 };
    expect(choice([upstream('a', 0, four), upstream('b', 4, four)], facts({}, live))).toBe('a by load');
  });

  it('keeps a session where it ran without asking for any prefix', () => {
    const given = facts({ place: at('b'), tie: 'turns', depthsIn: unasked });
    expect(choice([upstream('a', 0), upstream('b', 20)], given)).toBe('b by session');
  });

  it('keeps a running conversation up to twice the mean, and a request without an answer in it up to 1.25 times', () => {
    const loaded = [upstream('a', 100), upstream('b', 100), upstream('c', 300)];
    expect(choice(loaded, facts({ place: at('c'), tie: 'turns' }))).toBe('c by session');
    expect(choice(loaded, facts({ place: at('c'), tie: 'none' }))).toBe('a by load');
    const overrun = [upstream('a', 100), upstream('b', 100), upstream('c', 800)];
    expect(choice(overrun, facts({ place: at('c'), tie: 'turns' }))).toBe('a by load');
  });

  it.each(['thinking', 'file', 'container', 'thread'] as const)('never moves what is bound by a %s', (tie) => {
    const given = facts({ place: at('b'), tie, depthsIn: unasked });
    expect(choice([upstream('a', 0), upstream('b', 5000)], given)).toBe('b by bound');
  });

  it('lets what is bound go elsewhere when its place is out of service', () => {
    const given = facts({ place: at('gone'), tie: 'thinking' }, { b: { liveDepth: 1, seenDepth: 1 } });
    expect(choice([upstream('a'), upstream('b')], given)).toBe('b by prefix');
  });

  it('finds what is bound and forgotten where most of it was seen, over a live head and over the load', () => {
    const depths = { a: { liveDepth: 3, seenDepth: 3 }, b: { seenDepth: 40 } };
    const given = facts({ tie: 'thinking' }, depths);
    expect(choice([upstream('a'), upstream('b', 500)], given)).toBe('b by bound');
  });

  it('looks for files at the first upstream, where they were uploaded, unless the conversation is known', () => {
    const two = [upstream('a', 500), upstream('b')];
    expect(choice(two, facts({ tie: 'file' }, { b: { liveDepth: 9, seenDepth: 9 } }))).toBe('a by bound');
    expect(choice(two, facts({ tie: 'file', place: at('b') }))).toBe('b by bound');
  });
});

describe('upstreams of one cache domain', () => {
  const keys = [
    upstream('key-1', 9, { cacheDomain: 'workspace' }),
    upstream('key-2', 3, { cacheDomain: 'workspace' }),
    upstream('other', 0),
  ];
  const place: Place = { upstreamId: 'key-1', cacheDomain: 'workspace', holds: true };

  it('are one place: the least loaded serves a session, also a bound one', () => {
    expect(choice(keys, facts({ place, tie: 'turns' }))).toBe('key-2 by session');
    expect(choice(keys, facts({ place, tie: 'thinking' }))).toBe('key-2 by bound');
  });

  it('still keep a message thread on its very key', () => {
    expect(choice(keys, facts({ place, tie: 'thread' }))).toBe('key-1 by bound');
  });

  it('share what is live, and no prefix is asked for where there is no other domain', () => {
    expect(choice(keys, facts({}, { workspace: { liveDepth: 4, seenDepth: 4 } }))).toBe('key-2 by prefix');
    expect(choice(keys.slice(0, 2), facts({ depthsIn: unasked }))).toBe('key-2 by load');
  });
});

describe('where a conversation is from now on', () => {
  it('is where its first request was answered', () => {
    expect(placeAfter(null, upstream('a'), 'none')).toStrictEqual(at('a'));
  });

  it('follows a running conversation that had to move', () => {
    expect(placeAfter(at('a'), upstream('b'), 'turns')).toStrictEqual(at('b'));
  });

  it('is not changed by a side request that went elsewhere', () => {
    expect(placeAfter(at('a'), upstream('b'), 'none')).toStrictEqual(at('a'));
  });

  it('holds what is bound: only what is bound itself moves it', () => {
    const held = placeAfter(at('a'), upstream('a'), 'thinking');
    expect(held).toStrictEqual(at('a', true));
    expect(placeAfter(held, upstream('a'), 'none')).toStrictEqual(held);
    expect(placeAfter(held, upstream('b'), 'turns')).toStrictEqual(held);
    expect(placeAfter(held, upstream('b'), 'thinking')).toStrictEqual(at('b', true));
  });
});
