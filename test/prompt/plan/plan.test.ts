import { describe, expect, test } from 'vitest';
import { readPath } from '../../../src/prompt/plan/read-path.ts';
import { settleAnswer, settleFailure } from '../../../src/prompt/learn/settle-answer.ts';
import { HOUR_MS, mark, MINUTE_MS, RULES, SECOND_MS, shown, traffic, view, words } from '../views.ts';

describe('the first requests of a gateway that knows nothing', () => {
  test('a first prompt is marked at the end of its system for an hour and at its tail for 5 minutes', () => {
    expect(shown(traffic().plan(view('tools system | question'), 0))).toBe('1:1h:system 2:5m:tail');
  });

  test('a prompt below the minimum of the model gets nothing and says so', () => {
    const plan = traffic({ ...RULES, minimumTokens: 4096 }).plan(view('tools system | question'), 0);
    expect(plan).toMatchObject({ marks: [], outcome: 'below-minimum' });
  });

  test('a system prompt below the minimum is not marked, the longer tail is', () => {
    const plan = traffic({ ...RULES, minimumTokens: 2500 }).plan(view('tools system | question'), 0);
    expect(shown(plan)).toBe('2:5m:tail');
  });

  test('a tail that cannot carry a marker is marked at the last position that can', () => {
    expect(shown(traffic().plan(view('one two thinking'), 0))).toBe('1:5m:tail');
  });
});

describe('a conversation that goes on', () => {
  test('reads its last turn by a marker on exactly that entry and writes only what is new', () => {
    const { send, plan } = traffic();
    send(view('tools system | question'), 0);
    const second = plan(view('tools system | question answer more'), 20 * SECOND_MS);
    expect(shown(second)).toContain('2:5m:live');
    expect(second.expected).toMatchObject({ readTokens: 3000, write5mTokens: 2000, write1hTokens: 0 });
  });

  test('thirty new positions in one turn do not put the last turn out of the reach of the look-back', () => {
    const { send, plan } = traffic();
    send(view(`tools system | ${words('a', 5)}`), 0);
    const next = plan(view(`tools system | ${words('a', 5)} ${words('tool', 30)}`), 20 * SECOND_MS);
    expect(next.expected.readTokens).toBe(7000);
    expect(next.marks).toContainEqual({ at: 6, ttl: '5m', why: 'live' });
  });

  test('after 6 quiet minutes only the system prompt of an hour is left to read', () => {
    const { send, plan } = traffic();
    send(view('tools system | question'), 0);
    expect(plan(view('tools system | question answer more'), 6 * MINUTE_MS).expected.readTokens).toBe(2000);
  });

  test('what another request is writing is not written a second time', () => {
    const { begin, plan } = traffic();
    const first = view('tools system | one');
    begin(first, 0, [mark(1, '1h'), mark(2)]);
    const second = plan(view('tools system | two'), 100);
    expect(second).toMatchObject({ outcome: 'being-written', pendingDepth: 2, marks: [] });
  });

  test('a write that failed is nobody’s to wait for', () => {
    const { index, begin, plan } = traffic();
    settleFailure(index, begin(view('tools system | one'), 0, [mark(1, '1h'), mark(2)]));
    expect(plan(view('tools system | two'), 100)).toMatchObject({ outcome: 'planned', pendingDepth: 0 });
  });
});

describe('what traffic has taught', () => {
  test('prompts that never come back are no longer written', () => {
    const { send } = traffic();
    const last = Array.from({ length: 150 }, (_, at) => send(view(words(`q${at}-`, 8)), at * 4 * SECOND_MS)).at(-1);
    expect(last).toMatchObject({ marks: [], outcome: 'not-worth-it' });
  });

  test('with unrelated questions under one system prompt only the system prompt is marked', () => {
    const { send } = traffic();
    const ask = (at: number) => view(`${words('tool', 10)} | ${words(`q${at}-`, 4)}`);
    const last = Array.from({ length: 150 }, (_, at) => send(ask(at), at * 4 * SECOND_MS)).at(-1);
    expect(last?.marks.map((one) => one.at)).toEqual([9]);
    expect(last?.expected).toMatchObject({ readTokens: 10_000, uncachedTokens: 4000 });
  });

  test('a document that many questions share is marked where they part, although nobody says where it ends', () => {
    const { send } = traffic();
    const ask = (at: number) => view(`${words(`doc${at % 3}-`, 30)} ${words(`q${at}-`, 2)}`);
    const last = Array.from({ length: 200 }, (_, at) => send(ask(at), at * 10 * SECOND_MS)).at(-1);
    expect(last?.expected).toMatchObject({ readTokens: 30_000, write5mTokens: 0, write1hTokens: 0 });
  });

  test('a system prompt asked once in 20 minutes is kept for an hour', () => {
    const { send } = traffic();
    const ask = (at: number) => view(`${words('tool', 10)} | ${words(`q${at}-`, 2)}`);
    const plans = Array.from({ length: 30 }, (_, at) => send(ask(at), at * 20 * MINUTE_MS));
    expect(plans.slice(1).every((plan) => plan.expected.readTokens === 10_000)).toBe(true);
  });

  test('a system prompt asked once in 3 hours is soon not written at all', () => {
    const { send } = traffic();
    const ask = (at: number) => view(`${words('tool', 10)} | ${words(`q${at}-`, 2)}`);
    const last = Array.from({ length: 30 }, (_, at) => send(ask(at), at * 3 * HOUR_MS)).at(-1);
    expect(last?.marks).toEqual([]);
  });

  test('a head of 5 minutes that was busy for an hour carries an hour’s write as one of an hour does', () => {
    const { index, begin } = traffic();
    for (let at = 0; at < 70; at++)
      settleAnswer(index, begin(view(`tools system | q${at}`), at * MINUTE_MS, [mark(1)]), null);
    const early = traffic();
    settleAnswer(early.index, early.begin(view('tools system | q'), 0, [mark(1)]), null);
    expect(readPath(index, view('tools system | new'), false, 70 * MINUTE_MS).hourDepth).toBe(2);
    expect(readPath(early.index, view('tools system | new'), false, MINUTE_MS).hourDepth).toBe(0);
  });

  test('a last block that changes in every request is left out of what is written', () => {
    const { send } = traffic();
    let said = 'tools system | hello';
    const plans = Array.from({ length: 60 }, (_, turn) => {
      const plan = send(view(`${said} clock${turn}`), turn * 20 * SECOND_MS);
      said += ` turn${turn}`;
      return plan;
    });
    const last = plans.at(-1);
    expect(last?.expected.readTokens).toBe((2 + 1 + 58) * 1000);
    expect(last?.marks.some((one) => one.why === 'stable')).toBe(true);
  });

  test('a key whose promised reads never come is written no more, and is tried again hours later', () => {
    const { send, plan } = traffic();
    let said = 'tools system | hello';
    for (let turn = 0; turn < 30; turn++) {
      send(view(said), turn * 20 * SECOND_MS, { uncachedTokens: 0, readTokens: 0, writtenTokens: 3000 + turn * 1000 });
      said += ` turn${turn}`;
    }
    expect(plan(view(`${said} more`), 10 * MINUTE_MS).marks).toEqual([]);
    expect(plan(view(`${said} more`), 30 * HOUR_MS).marks).not.toEqual([]);
  });
});

describe('the prolonging reading', () => {
  const afterPauses = (prolong: boolean | 'learn', reads: (expected: number) => number) => {
    const { send, index } = traffic({ ...RULES, prolong });
    let said = words('doc', 40);
    let nowMs = 0;
    const plans = Array.from({ length: 60 }, (_, turn) => {
      nowMs += turn % 3 === 2 ? 10 * MINUTE_MS : 15 * SECOND_MS;
      said += ` turn${turn}`;
      const prompt = view(said);
      const asked = traffic({ ...RULES, prolong }, index).plan(prompt, nowMs);
      const readTokens = reads(asked.expected.readTokens);
      const total = prompt.hashes.length * 1000;
      return send(prompt, nowMs, { readTokens, writtenTokens: total - readTokens, uncachedTokens: 0 });
    });
    return { plans, index };
  };

  test('a small 1h write keeps a long prefix through pauses of ten minutes', () => {
    const { plans } = afterPauses(true, (expected) => expected);
    expect(plans.some((plan) => plan.marks.some((one) => one.why === 'keep'))).toBe(true);
    expect(plans.slice(-10).every((plan) => plan.expected.readTokens > 85_000)).toBe(true);
  });

  test('under the cautious reading nothing is marked in the hope of it', () => {
    const { plans } = afterPauses(false, (expected) => expected);
    expect(plans.every((plan) => plan.marks.every((one) => one.why !== 'keep' && one.why !== 'probe'))).toBe(true);
  });
});

describe('callers with markers of their own', () => {
  test('four markers leave no slot', () => {
    const prompt = view('a b c d e', { clientMarks: [mark(0), mark(1), mark(2), mark(3)] });
    expect(traffic().plan(prompt, 0)).toMatchObject({ marks: [], outcome: 'no-free-slot' });
  });

  test('markers the API would refuse are not made worse', () => {
    const wrongOrder = view('a b c d', { clientMarks: [mark(0), mark(2, '1h')] });
    expect(traffic().plan(wrongOrder, 0)).toMatchObject({ marks: [], outcome: 'client-marks-refused' });
    const clash = view('a b c d', { clientMarks: [mark(3, '5m')], automatic: '1h' });
    expect(traffic().plan(clash, 0).outcome).toBe('client-marks-refused');
    const nested = view('a b c d', { clientMarks: [mark(0)], clientMarkers: 5 });
    expect(traffic().plan(nested, 0).outcome).toBe('client-marks-refused');
  });

  test('the free fourth of Claude Code goes to the entry that twelve parallel tools pushed out of reach', () => {
    const { index, begin, plan } = traffic();
    const said = `tools system environment | ${words('a', 6)}`;
    const claudeCode = (text: string) => {
      const bare = view(text);
      return view(text, { clientMarks: [mark(1), mark(2), mark(bare.hashes.length - 1)] });
    };
    settleAnswer(index, begin(claudeCode(said), 0, []), null);
    const next = claudeCode(`${said} ${words('tool', 26)}`);
    expect(shown(plan(next, 20 * SECOND_MS))).toBe('8:5m:live');
  });

  test('where the markers of the caller reach everything nothing is added', () => {
    const { index, begin, plan } = traffic();
    const said = 'tools system | a b';
    settleAnswer(index, begin(view(said, { clientMarks: [mark(1), mark(3)] }), 0, []), null);
    const next = view(`${said} c d`, { clientMarks: [mark(1), mark(5)] });
    expect(plan(next, 20 * SECOND_MS).marks).toEqual([]);
  });

  test('below an automatic 1h marker ours are 1h as well', () => {
    const plan = traffic().plan(view('tools system | question', { automatic: '1h' }), 0);
    expect(shown(plan)).toBe('1:1h:system');
  });

  test('no 1h marker is put behind a 5m one', () => {
    const plan = traffic().plan(view('tools system | question', { clientMarks: [mark(0)] }), 0);
    expect(plan.marks.every((one) => one.ttl === '5m')).toBe(true);
  });
});
