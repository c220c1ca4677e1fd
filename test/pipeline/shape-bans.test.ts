import { beforeEach, describe, expect, it } from 'vitest';
import { createShapeBans, type ShapeBans } from '../../src/pipeline/cache/shape-bans.ts';
import { prefixOfBody, text, user } from '../prompt/prefixes.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';

const BLOCKS = prefixOfBody({ system: [text('one'), text('two')], messages: [user('Hi')] });
const OTHER_BLOCKS = prefixOfBody({ system: [text('three'), text('four')], messages: [user('Ho')] });
const STRING = prefixOfBody({ system: 'one', messages: [user('Hi')] });

let clock: FakeClock;
let bans: ShapeBans;
beforeEach(() => {
  clock = createFakeClock();
  bans = createShapeBans(clock);
  bans.add(bans.shapeOf('main', 'claude-opus-5', BLOCKS, [{ at: 1, ttl: '5m' }]));
});

describe('a shape that was refused', () => {
  const isBanned = (...shape: Parameters<ShapeBans['shapeOf']>): boolean => bans.has(bans.shapeOf(...shape));

  it('is banned for every prompt like it', () => {
    expect(isBanned('main', 'claude-opus-5', OTHER_BLOCKS, [{ at: 0, ttl: '5m' }])).toBe(true);
  });

  it.each<[string, Parameters<ShapeBans['shapeOf']>]>([
    ['another model', ['main', 'claude-opus-5-5', BLOCKS, [{ at: 1, ttl: '5m' }]]],
    ['another domain', ['other', 'claude-opus-5', BLOCKS, [{ at: 1, ttl: '5m' }]]],
    ['another TTL', ['main', 'claude-opus-5', BLOCKS, [{ at: 1, ttl: '1h' }]]],
    ['another section', ['main', 'claude-opus-5', BLOCKS, [{ at: 2, ttl: '5m' }]]],
    ['a string that becomes a block', ['main', 'claude-opus-5', STRING, [{ at: 0, ttl: '5m' }]]],
    ['one marker more', ['main', 'claude-opus-5', BLOCKS, [{ at: 1, ttl: '5m' }, { at: 2, ttl: '5m' }]]], // prettier-ignore
  ])('is another with %s', (_what, shape) => {
    expect(isBanned(...shape)).toBe(false);
  });

  it('is tried again after an hour', async () => {
    const shape = ['main', 'claude-opus-5', BLOCKS, [{ at: 1, ttl: '5m' }]] as const;
    await clock.advance(3_599_000);
    expect(isBanned(...shape)).toBe(true);
    await clock.advance(1_000);
    expect(isBanned(...shape)).toBe(false);
  });

  it('is forgotten before there are thousands', () => {
    for (let at = 0; at < 2_000; at++) bans.add(`shape ${at}`);
    expect([bans.has('shape 0'), bans.has('shape 1999')]).toEqual([false, true]);
  });
});
