import { describe, expect, test } from 'vitest';
import { prolongVerdict } from '../../../src/prompt/learn/trust.ts';
import { settleAnswer } from '../../../src/prompt/learn/settle-answer.ts';
import { mark, MINUTE_MS, RULES, SECOND_MS, traffic, view, words } from '../views.ts';

const FIRST = view('tools system | question');
const SECOND = view('tools system | question answer more');

describe('what an answer tells about the cache', () => {
  test('an entry cannot be read before the answer that writes it begins', () => {
    const { index, begin, plan } = traffic();
    const sent = begin(FIRST, 0, [mark(2)]);
    expect(plan(SECOND, 1000).expected.readTokens).toBe(0);
    settleAnswer(index, sent, null);
    expect(plan(SECOND, 1000).expected.readTokens).toBe(3000);
  });

  test('the life of an entry is counted from the start of the request', () => {
    const { index, begin, plan } = traffic();
    settleAnswer(index, begin(FIRST, 0, [mark(2)]), null);
    expect(plan(SECOND, 5 * MINUTE_MS - 1).expected.readTokens).toBe(3000);
    expect(plan(SECOND, 5 * MINUTE_MS).expected.readTokens).toBe(0);
  });

  test('a read keeps what it used for another 5 minutes', () => {
    const { send, plan } = traffic();
    send(FIRST, 0);
    send(SECOND, 4 * MINUTE_MS);
    const third = view('tools system | question other');
    expect(plan(third, 8 * MINUTE_MS).expected.readTokens).toBe(3000);
  });

  test('an entry that was not read when it should have been is gone', () => {
    const { index, begin, plan } = traffic();
    settleAnswer(index, begin(FIRST, 0, [mark(1), mark(2)]), null);
    const sent = begin(SECOND, 1000, [mark(2)]);
    settleAnswer(index, sent, { readTokens: 2000, writtenTokens: 1000, uncachedTokens: 2000 });
    const other = view('tools system | other');
    expect(plan(other, 2000).expected.readTokens).toBe(2000);
  });

  test('a read of more than we knew of shows that somebody else wrote it', () => {
    const { index, begin, plan } = traffic();
    settleAnswer(index, begin(FIRST, 0, []), { readTokens: 2000, writtenTokens: 0, uncachedTokens: 1000 });
    expect(plan(SECOND, 1000).expected.readTokens).toBe(2000);
  });

  test('an answer that neither read nor wrote left no entry', () => {
    const { index, begin, plan } = traffic();
    settleAnswer(index, begin(FIRST, 0, [mark(2)]), { readTokens: 0, writtenTokens: 0, uncachedTokens: 3000 });
    expect(plan(SECOND, 1000).expected.readTokens).toBe(0);
  });

  test('token counts of the API are compared in proportion, because ours are estimates', () => {
    const { index, begin, plan } = traffic();
    settleAnswer(index, begin(FIRST, 0, [mark(2)]), null);
    const sent = begin(SECOND, 1000, [mark(2), mark(4)]);
    settleAnswer(index, sent, { readTokens: 3900, writtenTokens: 2600, uncachedTokens: 0 });
    expect(plan(view('tools system | question answer more again'), 2000).expected.readTokens).toBe(5000);
  });
});

describe('whether a 1h write prolongs a 5m prefix is learned', () => {
  const learn = (keeps: boolean) => {
    const { index, begin, plan } = traffic({ ...RULES, prolong: 'learn' });
    for (let at = 0; at < 5; at++) {
      const path = words(`c${at}-`, 6);
      const startMs = at * 60 * MINUTE_MS;
      settleAnswer(index, begin(view(path), startMs, [mark(5)]), null);
      settleAnswer(index, begin(view(`${path} x`), startMs + 30 * SECOND_MS, [mark(5, '1h'), mark(6, '1h')]), null);
      const later = view(`${path} x y`);
      const sent = begin(later, startMs + 10 * MINUTE_MS, [mark(6), mark(7)]);
      const readTokens = keeps ? 7000 : 0;
      settleAnswer(index, sent, { readTokens, writtenTokens: 8000 - readTokens, uncachedTokens: 0 });
    }
    return { index, plan };
  };

  test('from reads that only it could have kept alive', () => {
    expect(prolongVerdict(learn(true).index.trust)).toBe('yes');
  });

  test('and from reads that stayed out', () => {
    expect(prolongVerdict(learn(false).index.trust)).toBe('no');
  });

  test('before that the cautious reading holds', () => {
    expect(prolongVerdict(traffic().index.trust)).toBe('unknown');
  });
});
