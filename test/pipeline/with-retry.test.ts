import { beforeEach, describe, expect, it } from 'vitest';
import type { UpstreamFailure } from '../../src/core/attempt.ts';
import type { HeaderMap } from '../../src/core/headers.ts';
import type { GatewayRequest, Outcome } from '../../src/core/exchange.ts';
import { createRetryBudget } from '../../src/core/failures/retry-budget.ts';
import { FIRST_ATTEMPT, type Context } from '../../src/pipeline/service.ts';
import { withRetry, type RetryOptions } from '../../src/pipeline/with-retry.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';
import { answeredOf, contextOf, failureOf, heldOf, noteOf, requestOf, tenantOf, type ScriptedContext } from './scripted.ts'; // prettier-ignore

const REFUSED_AS_BROKEN = {
  kind: 'refused',
  refusal: { code: 'upstream_broken' },
  failure: failureOf('network'),
} as const;

let clock: FakeClock;
let context: ScriptedContext;
/** The attempt that each call was made for, and when. */
let calls: { readonly attempt: Context['attempt']; readonly atMs: number }[];
/** The headers with which held errors were sent. */
let sent: (HeaderMap | undefined)[];
beforeEach(() => {
  clock = createFakeClock();
  context = contextOf(clock, tenantOf({ slots: { limit: 1, maxWaiters: 1, maxWaitMs: 30_000 } }));
  calls = [];
  sent = [];
});

const overloaded = (part: Partial<UpstreamFailure> = {}): Outcome =>
  heldOf(529, failureOf('overloaded', part), (more) => sent.push(more));

interface Drive {
  readonly request?: Partial<GatewayRequest>;
  readonly budget?: RetryOptions['retryBudget'];
  readonly options?: Partial<RetryOptions>;
  /** The upstream of each call; null: none could be asked. */
  readonly upstreamOf?: (call: number) => string | null;
  /** How long each call takes. */
  readonly lastsMs?: number;
}

/** Sends one request through the layer; the inner service answers its calls with these, the last one again and again. */
function send(outcomes: readonly Outcome[], drive: Drive = {}): Promise<Outcome> {
  const { budget = createRetryBudget(), upstreamOf = () => 'main', lastsMs = 0 } = drive;
  const service = withRetry({
    clock,
    retryBudget: budget,
    random: () => 0,
    maxRetries: () => 4,
    hasElsewhere: () => false,
    ...drive.options,
  })(async (_request, { attempt, timings, notes }) => {
    const upstream = upstreamOf(calls.length);
    const outcome = outcomes[Math.min(calls.length, outcomes.length - 1)] as Outcome;
    calls.push({ attempt, atMs: clock.nowMs() });
    if (upstream !== null) {
      timings.firstSentAtMs ??= clock.nowMs();
      notes.attempts.push(noteOf({ upstream }));
    }
    if (lastsMs > 0) await new Promise<void>((resolve) => clock.after(lastsMs, resolve));
    return outcome;
  });
  return service(requestOf(drive.request), context);
}

/** Lets so much time pass, and then the outcome; no timer may be left. */
async function after(ms: number, outcome: Promise<Outcome>): Promise<Outcome> {
  await clock.advance(ms);
  const settled = await outcome;
  expect(clock.pending).toBe(0);
  return settled;
}

const calledAtMs = (): number[] => calls.map(({ atMs }) => atMs);

describe('a call that fails before content', () => {
  it.each<[string, Outcome]>([
    ['by an error answer', overloaded()],
    ['by an error event inside a 200', heldOf(200, failureOf('stream_error'))],
    ['by a broken connection', REFUSED_AS_BROKEN],
  ])('%s is made again after a wait, and the answer is that of the second', async (_how, failed) => {
    const outcome = send([failed, answeredOf()]);
    await clock.advance(499);
    expect(calls).toHaveLength(1);
    expect(await after(1, outcome)).toEqual(answeredOf());
    expect(calledAtMs()).toEqual([0, 500]);
    expect(sent).toEqual([]);
  });

  it('is made again up to four times, each later than the one before', async () => {
    await after(60_000, send([overloaded()]));
    expect(calledAtMs()).toEqual([0, 500, 1_500, 3_500, 7_500]);
  });

  it('tells the next attempt where and why it failed, and every upstream that has', async () => {
    const outcome = send([overloaded(), overloaded(), answeredOf()], {
      upstreamOf: (call) => ['a', 'b', 'c'][call] ?? '',
    });
    await after(10_000, outcome);
    expect(calls.map(({ attempt }) => attempt)).toEqual([
      FIRST_ATTEMPT,
      { failedAt: new Set(['a']), retryOf: { upstream: 'a', reason: 'overloaded' } },
      { failedAt: new Set(['a', 'b']), retryOf: { upstream: 'b', reason: 'overloaded' } },
    ]);
  });

  it('is made again at once where there is an elsewhere', async () => {
    const hasElsewhere: RetryOptions['hasElsewhere'] = (_request, _context, failedAt) => !failedAt.has('b');
    const upstreamOf = (call: number): string => ['a', 'b'][call] ?? 'a';
    await after(10_000, send([overloaded(), overloaded(), answeredOf()], { options: { hasElsewhere }, upstreamOf }));
    expect(calledAtMs()).toEqual([0, 0, 1_000]);
  });

  it('is not made again before the time that the upstream asks for, nor all at that very moment', async () => {
    const times: number[] = [];
    for (const random of [0, 0.5, 0.9]) {
      calls = [];
      const sinceMs = clock.nowMs();
      context = contextOf(clock, context.tenant);
      const request = { receivedAtMs: sinceMs };
      const failed = overloaded({ retryAfterMs: 4_000 });
      await after(10_000, send([failed, answeredOf()], { request, options: { random: () => random } }));
      times.push((calledAtMs()[1] ?? 0) - sinceMs);
    }
    expect(times).toEqual([4_000, 4_500, 4_900]);
  });

  it.each<[string, Outcome]>([
    ['the upstream forbids it', overloaded({ shouldRetry: false })],
    ['its money has run out', heldOf(429, failureOf('spend_limit'), (more) => sent.push(more))],
    ['it took too long already', heldOf(504, failureOf('timeout'), (more) => sent.push(more))],
    ['it asks for more time than the caller has', overloaded({ retryAfterMs: 30_001 })],
  ])('is not made again where %s: the caller gets the upstream’s word as it came', async (_why, failed) => {
    expect(await after(0, send([failed, answeredOf()]))).toMatchObject({ kind: 'answered', failure: {} });
    expect([calls.length, sent]).toEqual([1, [{}]]);
  });

  it('keeps to the caller’s patience as it is when the failure comes, not as it was', async () => {
    await clock.advance(29_000);
    await after(60_000, send([overloaded({ retryAfterMs: 2_000 })]));
    expect(calls).toHaveLength(1);
  });

  it('counts the caller’s patience from when its request was received', async () => {
    await clock.advance(29_000);
    const request = { receivedAtMs: 27_000 };
    await after(60_000, send([overloaded({ retryAfterMs: 2_000 }), answeredOf()], { request }));
    expect(calledAtMs()).toEqual([29_000, 31_000]);
  });

  it('is not made again so that callers would wait for longer than 20 s since the first call', async () => {
    await after(60_000, send([overloaded()], { lastsMs: 9_500 }));
    expect([calledAtMs(), sent]).toEqual([[0, 10_000], [{ 'x-should-retry': 'false' }]]);
  });
});

describe('what is not asked again', () => {
  it.each<[string, Outcome]>([
    ['an answer', answeredOf()],
    ['a stream that broke behind content', answeredOf({ end: 'truncated', failure: failureOf('network') })],
    ['a stream with an error event behind content', answeredOf({ failure: failureOf('overloaded') })],
    ['a refusal of the gateway’s own', { kind: 'refused', refusal: { code: 'upstream_busy', retryAfterSeconds: 3 } }],
    ['a caller that has left', { kind: 'abandoned' }],
  ])('is %s', async (_what, outcome) => {
    expect(await after(0, send([outcome, answeredOf({ status: 201 })]))).toEqual(outcome);
    expect(calls).toHaveLength(1);
  });

  it('is an error of the request’s own: it is sent as it came', async () => {
    await after(0, send([heldOf(400, null, (more) => sent.push(more))]));
    expect([calls.length, sent]).toEqual([1, [{}]]);
  });

  it('is a request whose body was not kept', async () => {
    const body = new ReadableStream<Uint8Array>();
    await after(0, send([overloaded()], { request: { operation: 'other', body } }));
    expect([calls.length, sent]).toEqual([1, [{}]]);
  });

  it('is not a question without a body', async () => {
    const request = { operation: 'models', method: 'GET', body: null } as const;
    await after(10_000, send([overloaded(), answeredOf()], { request }));
    expect(calls).toHaveLength(2);
  });

  it.each(['POST', 'DELETE'])('is %s without a body, which may have done what it asks for', async (method) => {
    await after(0, send([overloaded()], { request: { operation: 'batches', method, body: null } }));
    expect([calls.length, sent]).toEqual([1, [{}]]);
  });
});

describe('when retries are spent', () => {
  it('the caller sees the upstream’s own error, with x-should-retry: false on it', async () => {
    const outcome = await after(60_000, send([overloaded({ shouldRetry: true })]));
    expect(outcome).toMatchObject({ kind: 'answered', status: 529 });
    expect([calls.length, sent]).toEqual([5, [{ 'x-should-retry': 'false' }]]);
  });

  it('a refusal says that it is final', async () => {
    const outcome = await after(60_000, send([REFUSED_AS_BROKEN]));
    expect(outcome).toMatchObject({ kind: 'refused', refusal: { code: 'upstream_broken', isFinal: true } });
  });

  it('the last error counts, not the first', async () => {
    const last = heldOf(500, failureOf('server_error'), (more) => sent.push(more));
    const outcome = send([overloaded(), overloaded(), overloaded(), overloaded(), last]);
    expect(await after(60_000, outcome)).toMatchObject({ status: 500 });
    expect(sent).toHaveLength(1);
  });

  it.each([0, 1])('after %d, where the settings allow no more, nothing is asked again', async (maxRetries) => {
    await after(60_000, send([overloaded()], { options: { maxRetries: () => maxRetries } }));
    expect([calls.length, sent]).toEqual([maxRetries + 1, [maxRetries > 0 ? { 'x-should-retry': 'false' } : {}]]);
  });
});

describe('the budget', () => {
  const emptyUntil = (ms: number): RetryOptions['retryBudget'] => ({
    noteCall: () => {},
    take: (nowMs) => nowMs >= ms,
  });

  it('is told of every request once, and asked once for every retry', async () => {
    const told: string[] = [];
    const budget = { noteCall: () => void told.push('call'), take: () => (told.push('take'), true) };
    await after(60_000, send([overloaded(), overloaded(), answeredOf()], { budget }));
    expect(told).toEqual(['call', 'take', 'take']);
  });

  it('that is empty is waited for, up to ten seconds', async () => {
    await after(60_000, send([overloaded(), answeredOf()], { budget: emptyUntil(9_000) }));
    expect(calledAtMs()).toEqual([0, 9_000]);
  });

  it('that stays empty ends it: retries are spent', async () => {
    const outcome = send([overloaded()], { budget: emptyUntil(Number.POSITIVE_INFINITY) });
    await clock.advance(9_999);
    expect(sent).toEqual([]);
    await after(501, outcome);
    expect([calls.length, sent]).toEqual([1, [{ 'x-should-retry': 'false' }]]);
  });

  it('is left alone by a request that nobody could be asked for: nothing was called', async () => {
    const unavailable: Outcome = {
      kind: 'refused',
      refusal: { code: 'upstream_unavailable' },
      failure: failureOf('network', { retryAfterMs: 1_000 }),
    };
    const budget = emptyUntil(Number.POSITIVE_INFINITY);
    const upstreamOf = (call: number) => (call === 0 ? null : 'main');
    expect(await after(60_000, send([unavailable, answeredOf()], { budget, upstreamOf }))).toEqual(answeredOf());
    expect(calls.map(({ attempt }) => attempt)).toEqual([FIRST_ATTEMPT, FIRST_ATTEMPT]);
    expect(calledAtMs()).toEqual([0, 1_000]);
  });
});

describe('an exchange that is over', () => {
  it.each(['caller_gone', 'draining'] as const)('%s: a backoff ends in the same tick', async (reason) => {
    const outcome = send([overloaded()]);
    await clock.advance(100);
    context.stop(reason);
    expect(await outcome).toEqual({ kind: 'abandoned' });
    expect([calls.length, clock.pending]).toEqual([1, 0]);
  });

  it.each(['caller_gone', 'draining'] as const)('%s: nobody waits for the budget', async (reason) => {
    const outcome = send([overloaded()], { budget: { noteCall: () => {}, take: () => false } });
    await clock.advance(1_200);
    context.stop(reason);
    expect(await outcome).toEqual({ kind: 'abandoned' });
    expect([calls.length, clock.pending]).toEqual([1, 0]);
  });

  it.each(['caller_gone', 'draining'] as const)('%s: what fails then is not asked again', async (reason) => {
    context.stop(reason);
    expect(await after(0, send([overloaded()]))).toMatchObject({ kind: 'answered', status: 529 });
    expect([calls.length, sent]).toEqual([1, [{}]]);
  });
});

it('a bug inside passes, and is not asked again', async () => {
  let entered = 0;
  const service = withRetry({
    clock,
    retryBudget: createRetryBudget(),
    random: () => 0,
    maxRetries: () => 4,
    hasElsewhere: () => false,
  })(() => (entered++, Promise.reject(new Error('a bug'))));
  await expect(service(requestOf(), context)).rejects.toThrow('a bug');
  expect([entered, clock.pending]).toEqual([1, 0]);
});
