import { describe, expect, test } from 'vitest';
import { slotAt } from '../../../src/prompt/learn/observe.ts';
import { noteWritten } from '../../../src/prompt/learn/note-written.ts';
import { createPlacementIndex } from '../../../src/prompt/learn/placement-index.ts';
import { settleAnswer } from '../../../src/prompt/learn/settle-answer.ts';
import { HOUR_MS, mark, MINUTE_MS, RULES, SECOND_MS, shown, traffic, view } from '../views.ts';

const FIRST = view('tools system | question');
const OTHER = view('tools system | other');

describe('what another process has written', () => {
  test('is planned to be read, and written no more', () => {
    const { index, plan } = traffic();
    expect(plan(FIRST, 0).expected).toMatchObject({ readTokens: 0 });
    noteWritten(index, FIRST, 2, '5m', 0);
    const { readTokens, write5mTokens, write1hTokens, uncachedTokens } = plan(FIRST, SECOND_MS).expected;
    expect(readTokens).toBe(2000);
    expect(write5mTokens + write1hTokens + uncachedTokens).toBe(1000);
  });

  test('is read by every prompt that begins with it, and by none that does not', () => {
    const { index, plan } = traffic();
    noteWritten(index, FIRST, 2, '5m', 0);
    expect(plan(OTHER, SECOND_MS).expected.readTokens).toBe(2000);
    expect(plan(view('tools another | question'), SECOND_MS).expected.readTokens).toBe(0);
    expect(plan({ ...FIRST, key: 'elsewhere/model' }, SECOND_MS).expected.readTokens).toBe(0);
  });

  test.each([
    ['5m', 5 * MINUTE_MS],
    ['1h', HOUR_MS],
  ] as const)('for %s lives so long from when its request was sent, not from when it was told', (ttl, lifeMs) => {
    const { index, plan } = traffic();
    const sentMs = -2 * MINUTE_MS;
    noteWritten(index, FIRST, 2, ttl, sentMs);
    expect(plan(FIRST, sentMs + lifeMs - 1).expected.readTokens).toBe(2000);
    expect(plan(FIRST, sentMs + lifeMs).expected.readTokens).toBe(0);
  });

  test('is kept alive by reads, as if it had been written here', () => {
    const { index, send, plan } = traffic();
    noteWritten(index, FIRST, 2, '5m', 0);
    send(FIRST, 4 * MINUTE_MS);
    expect(plan(OTHER, 8 * MINUTE_MS).expected.readTokens).toBe(2000);
  });

  test('carries what is written on top of it', () => {
    const { index, begin, plan } = traffic();
    noteWritten(index, FIRST, 2, '5m', 0);
    settleAnswer(index, begin(FIRST, SECOND_MS, [mark(1), mark(2)]), null);
    const longer = view('tools system | question answer');
    expect(plan(longer, 2 * SECOND_MS).expected.readTokens).toBe(3000);
  });

  test('stands on nothing: it lives on where an entry known below it does not', () => {
    const { index, begin, plan } = traffic();
    settleAnswer(index, begin(FIRST, 0, [mark(1)]), null);
    noteWritten(index, FIRST, 3, '5m', 4 * MINUTE_MS);
    expect(plan(view('tools system | question answer'), 6 * MINUTE_MS).expected.readTokens).toBe(3000);
  });

  test('is gone when an answer shows that it was not read', () => {
    const { index, begin, plan } = traffic();
    noteWritten(index, FIRST, 2, '5m', 0);
    const sent = begin(FIRST, SECOND_MS, [mark(1)]);
    settleAnswer(index, sent, { readTokens: 0, writtenTokens: 0, uncachedTokens: 3000 });
    expect(plan(OTHER, 2 * SECOND_MS).expected.readTokens).toBe(0);
  });

  test('takes nothing from what is known to live longer', () => {
    const { index, begin, plan } = traffic();
    settleAnswer(index, begin(FIRST, MINUTE_MS, [mark(1, '1h')]), null);
    noteWritten(index, FIRST, 2, '5m', 0);
    expect(plan(OTHER, 30 * MINUTE_MS).expected.readTokens).toBe(2000);
  });

  test('makes no conversation of a prompt that was never sent here', () => {
    const known = traffic();
    noteWritten(known.index, FIRST, 2, '5m', 0);
    const unknown = traffic();
    for (const { send } of [known, unknown]) send(FIRST, SECOND_MS);
    const next = view('tools system | question answer more');
    expect(shown(known.plan(next, MINUTE_MS))).toBe(shown(unknown.plan(next, MINUTE_MS)));
  });

  test('at a depth that the prompt does not have changes nothing', () => {
    const { index, plan } = traffic();
    noteWritten(index, FIRST, 4, '5m', 0);
    noteWritten(index, FIRST, 0, '5m', 0);
    expect(index.positions.size).toBe(0);
    expect(plan(FIRST, SECOND_MS).expected.readTokens).toBe(0);
  });

  test('finds room in a full table, at the expense of what was untouched longest', () => {
    const index = createPlacementIndex({ maxPositions: 3 });
    const { send, plan } = traffic(RULES, index);
    send(view('one two | three'), 0);
    noteWritten(index, FIRST, 2, '5m', SECOND_MS);
    expect(index.positions.size).toBe(3);
    expect(plan(FIRST, 2 * SECOND_MS).expected.readTokens).toBe(2000);
  });

  test('teaches nothing about returns: nobody here has met it before', () => {
    const { index, send } = traffic();
    noteWritten(index, FIRST, 2, '5m', 0);
    send(FIRST, SECOND_MS);
    expect(index.positions.lostGaps[slotAt(index, FIRST, 2)]).toBe(0);
  });
});
