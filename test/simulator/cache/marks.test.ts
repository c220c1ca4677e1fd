import { describe, expect, test } from 'vitest';
import { createCacheEngine } from '../../../src/simulator/cache/engine.ts';
import { checkMarks, placeAutomatic } from '../../../src/simulator/cache/marks.ts';
import { conversation, mark, prompt, request } from './prompts.ts';

const positions = conversation(8);

describe('explicit markers (§3.2, §3.3, §3.5)', () => {
  test('four markers are taken and a fifth is refused', () => {
    const four = [0, 2, 4, 6].map((at) => mark(at));
    expect(checkMarks(positions, four)).toEqual({ kind: 'accepted' });
    expect(checkMarks(positions, [...four, mark(7)])).toEqual({
      kind: 'refused',
      refusal: { kind: 'too-many-marks', found: 5 },
    });
  });

  test('1h before 5m is taken and 5m before 1h is refused, in whatever order they are listed', () => {
    expect(checkMarks(positions, [mark(1, '1h'), mark(5, '5m')]).kind).toBe('accepted');
    const wrong = { kind: 'refused', refusal: { kind: 'ttl-order', at: 5 } };
    expect(checkMarks(positions, [mark(1, '5m'), mark(5, '1h')])).toEqual(wrong);
    expect(checkMarks(positions, [mark(5, '1h'), mark(1, '5m')])).toEqual(wrong);
  });

  test('a marker on a thinking block is refused', () => {
    expect(checkMarks(prompt('a thinking b'), [mark(1)])).toEqual({
      kind: 'refused',
      refusal: { kind: 'not-markable', at: 1 },
    });
  });

  test('a refused request touches no entry', () => {
    const engine = createCacheEngine({ prolong: false });
    expect(engine.begin(request(positions, [mark(1, '5m'), mark(5, '1h')])).kind).toBe('refused');
    expect(engine.entries).toBe(0);
  });
});

describe('the automatic marker (§3.3)', () => {
  test('it lands on the last position', () => {
    expect(placeAutomatic(positions, [], '5m')).toEqual({ kind: 'placed', at: 7 });
  });

  test('it walks back over positions that may not be marked', () => {
    expect(placeAutomatic(prompt('a b thinking1 thinking2'), [], '5m')).toEqual({ kind: 'placed', at: 1 });
  });

  test('with nowhere to stand nothing is cached and nothing is wrong', () => {
    expect(placeAutomatic(prompt('thinking'), [], '5m')).toEqual({ kind: 'nowhere' });
  });

  test('on a last block already marked with the same TTL it does nothing', () => {
    expect(placeAutomatic(positions, [mark(7, '1h')], '1h')).toEqual({ kind: 'already-marked' });
  });

  test('on a last block marked with another TTL it is refused', () => {
    const clash = { kind: 'refused', refusal: { kind: 'automatic-ttl-clash', at: 7 } };
    expect(placeAutomatic(positions, [mark(7, '1h')], '5m')).toEqual(clash);
  });

  test('it is refused next to four explicit markers', () => {
    const placement = placeAutomatic(
      positions,
      [0, 2, 4, 6].map((at) => mark(at)),
      '5m',
    );
    expect(placement).toEqual({ kind: 'refused', refusal: { kind: 'too-many-marks', found: 5 } });
  });
});
