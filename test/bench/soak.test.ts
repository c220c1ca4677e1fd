import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stopAll } from '../../bench/child.ts';
import { runSoak, type SoakResult } from '../../bench/soak/soak.ts';

/** The heap needs minutes to say anything; here it has seconds, and the figures alone are judged. */
describe('a few seconds of the soak, one call upstream in ten of them going wrong', () => {
  let result: SoakResult;

  beforeAll(async () => {
    const stop = new AbortController().signal;
    result = await runSoak({ seconds: 6, faultShare: 0.1, seed: 7, stop, onProgress: () => {} });
  }, 90_000);
  afterAll(stopAll);

  test('every figure of /metrics is the one that callers and the upstream saw', () => {
    const failed = result.checks.filter(({ name, holds }) => !holds && !name.startsWith('heap'));
    expect(failed.map(({ name, figures }) => `${name}: ${figures}`)).toEqual([]);
  });

  test('it has met what it is about: faults, retries, refusals, callers that left', () => {
    const { books } = result;
    expect(books.faulted).toBeGreaterThan(0);
    expect(books.calls).toBeGreaterThan(books.reached);
    expect(books.tenants.get('crowd')?.statuses.get('429')).toBeGreaterThan(0);
    expect(books.unknowns.get('cancelled_stream')?.calls).toBeGreaterThan(0);
  });
});
