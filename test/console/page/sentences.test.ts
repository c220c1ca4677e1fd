import { describe, expect, it } from 'vitest';
import type { RequestStory } from '../../../src/console/contract.ts';
import { adviceSentences } from '../../../src/console/page/words/advice-sentences.ts';
import { chartSummary } from '../../../src/console/page/words/chart-summary.ts';
import { storySentences } from '../../../src/console/page/words/story-sentences.ts';

/** As a reader sees it: some spaces keep a number beside its unit. */
const plain = (text: string): string => text.replaceAll('\u00a0', ' ');

const story: RequestStory = {
  id: 'one',
  tenant: 'acme',
  model: 'claude-sonnet-5',
  operation: 'messages',
  receivedAtMs: new Date(2026, 10, 22, 9, 12, 4).getTime(),
  durationMs: 4210,
  ttftMs: 640,
  status: 200,
  end: 'complete',
  fault: null,
  cache: 'hit',
  cacheReason: null,
  attempts: 1,
  inputTokens: 9000,
  outputTokens: 300,
  costUsd: 0.01,
  savedUsd: 0.02,
  isStream: true,
  refusal: null,
  timeline: [],
  tokens: null,
  cacheStory: null,
  calls: [],
};

describe('sentences of the page', () => {
  it("a request's story begins with who asked what and how it ended", () => {
    expect(storySentences(story).map(plain)).toEqual([
      'acme asked claude-sonnet-5 for a stream at 22 Nov 2026, 09:12:04.',
      'It was answered in full.',
      'It took 4.21 s, 640 ms to the first token; status 200.',
    ]);
  });

  it('a refused one says what the caller was told and whose it is to mend', () => {
    const refused = {
      ...story,
      ttftMs: null,
      status: 429,
      end: 'refused',
      refusal: 'queue_full',
      fault: 'caller',
    } as const;
    expect(storySentences(refused).slice(1).map(plain)).toEqual([
      'It was refused: All slots and queue places of this tenant are taken.',
      'It took 4.21 s; status 429.',
      'To be looked into by the caller.',
    ]);
  });

  it('advice says what changes, what that costs a day, and what to do', () => {
    const advice = {
      tenant: 'rag',
      model: 'claude-sonnet-5',
      place: 'system[0]',
      requests: 420,
      changes: 412,
      tokensBehind: 8200,
      requestsPerDay: 1900.4,
      wastedUsdPerDay: 42.07,
    };
    expect(plain(adviceSentences(advice).join(' '))).toBe(
      'rag on claude-sonnet-5: system[0] differed in 412 of 420 requests. Nobody can read the 8.20 k tokens behind it: ' +
        '$42.07 a day at this pace. Put what changes (a date, an id, a counter) behind what stays.',
    );
  });

  it('advice on a model without a price counts requests instead of dollars', () => {
    const advice = {
      tenant: 'rag',
      model: 'home-made',
      place: 'system',
      requests: 20,
      changes: 20,
      tokensBehind: 900,
      requestsPerDay: 1900.4,
      wastedUsdPerDay: null,
    };
    expect(adviceSentences(advice)[1]).toBe('Nobody can read the 900 tokens behind it, 1,900 times a day.');
  });

  it('a chart in words names the newest, the lowest and the highest of each line', () => {
    const atMs = new Date(2026, 10, 22, 9, 10).getTime();
    const times = [0, 60, 120, 180].map((s) => atMs / 1000 + s);
    const lines = [
      { name: 'median', values: [500, null, 300, 400] },
      { name: 'p95', values: [null, null, null, null] },
    ];
    expect(chartSummary('Time to first token', times, lines, (ms) => `${ms} ms`)).toBe(
      'Time to first token, last half hour. median: now 400 ms, lowest 300 ms at 09:12, highest 500 ms at 09:10.',
    );
    expect(chartSummary('Empty', [], [], String)).toBe('Empty, last half hour. No figures yet.');
  });
});
