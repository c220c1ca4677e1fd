import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AttemptResult, FailureKind } from '../../../src/core/attempt.ts';
import {
  createCircuitBreaker,
  type Admitted,
  type CircuitBreaker,
} from '../../../src/core/failures/circuit-breaker.ts';
import { failed, ok, seeded } from '../limited-upstream.ts';

const FORBIDDEN: AttemptResult = {
  kind: 'failed',
  failure: { kind: 'credential_refused', retryAfterMs: null, shouldRetry: null, reach: 'perhaps_request' },
};
const IGNORED: AttemptResult = { kind: 'ignored' };

function admitted(breaker: CircuitBreaker, nowMs: number): Admitted {
  const verdict = breaker.admit(nowMs);
  if (verdict.kind === 'refuse') throw new Error(`refused at ${nowMs} for ${verdict.retryAfterMs} ms`);
  return verdict;
}

/** One call that ends at once. */
function call(breaker: CircuitBreaker, result: AttemptResult, nowMs: number) {
  return breaker.report(result, admitted(breaker, nowMs), nowMs);
}

/** Open since 0 ms, by five faults in a row. */
function opened(): CircuitBreaker {
  const breaker = createCircuitBreaker();
  for (let count = 0; count < 5; count++) call(breaker, failed('network'), 0);
  return breaker;
}

/** Out since 0 ms, by a 401. */
function credentialOut(): CircuitBreaker {
  const breaker = createCircuitBreaker();
  call(breaker, failed('credential_refused'), 0);
  return breaker;
}

describe('a closed breaker', () => {
  it.each<FailureKind>(['network', 'timeout', 'server_error', 'stream_error'])(
    'opens after five of %s in a row, however far apart',
    (kind) => {
      const breaker = createCircuitBreaker();
      for (let minute = 0; minute < 4; minute++) expect(call(breaker, failed(kind), minute * 60_000)).toBeNull();
      expect(call(breaker, failed(kind), 240_000)).toEqual({ from: 'closed', to: 'open' });
    },
  );

  it('opens when half of enough calls fail, though some succeed between', () => {
    const breaker = createCircuitBreaker();
    for (let count = 0; count < 9; count++)
      expect(call(breaker, count % 2 ? failed('server_error') : ok(), count)).toBeNull();
    expect(call(breaker, failed('server_error'), 9)).toEqual({ from: 'closed', to: 'open' });
  });

  it('does not hold failures against an upstream that are longer ago than its window', () => {
    const breaker = createCircuitBreaker();
    for (let count = 0; count < 30; count++) call(breaker, count % 2 ? failed('server_error') : ok(), count * 2_000);
    expect(breaker.state(60_000)).toBe('closed');
  });

  it.each<FailureKind>(['rate_limited', 'acceleration', 'concurrent_connections', 'spend_limit'])(
    'takes %s for the answer of a healthy upstream',
    (kind) => {
      const breaker = createCircuitBreaker();
      for (let count = 0; count < 200; count++) call(breaker, failed(kind, 60_000), count * 100);
      expect(breaker.state(20_000)).toBe('closed');
    },
  );

  it('stays closed for an hour in which one call in five is answered 529', () => {
    const breaker = createCircuitBreaker();
    const random = seeded(11);
    for (let atMs = 0; atMs < 3_600_000; atMs += 100) call(breaker, random() < 0.2 ? failed('overloaded') : ok(), atMs);
    expect(breaker.state(3_600_000)).toBe('closed');
  });

  it('opens when nothing but 529 has come for five seconds, not for a burst of them', () => {
    const breaker = createCircuitBreaker();
    for (let count = 0; count < 100; count++) expect(call(breaker, failed('overloaded'), 0)).toBeNull();
    expect(call(breaker, failed('overloaded'), 4_999)).toBeNull();
    expect(call(breaker, failed('overloaded'), 5_000)).toEqual({ from: 'closed', to: 'open' });
  });

  it('is not moved by what says nothing of the upstream', () => {
    const breaker = createCircuitBreaker();
    for (let count = 0; count < 100; count++) expect(call(breaker, IGNORED, count)).toBeNull();
    expect(breaker.state(100)).toBe('closed');
  });
});

describe('an open breaker', () => {
  it('refuses for a second, and says how much of it is left', () => {
    const breaker = opened();
    expect(breaker.state(400)).toBe('open');
    expect(breaker.admit(400)).toEqual({ kind: 'refuse', retryAfterMs: 600 });
  });

  it('then lets one call through, and refuses the others until that one has ended', () => {
    const breaker = opened();
    expect(breaker.state(1_000)).toBe('half_open');
    expect(admitted(breaker, 1_000).isProbe).toBe(true);
    expect(breaker.admit(1_000)).toEqual({ kind: 'refuse', retryAfterMs: 1_000 });
    expect(breaker.state(20_000)).toBe('half_open');
  });

  it('closes when its probe succeeds', () => {
    const breaker = opened();
    expect(call(breaker, ok(), 1_000)).toEqual({ from: 'half_open', to: 'closed' });
    expect(admitted(breaker, 1_000).isProbe).toBe(false);
  });

  it('doubles its wait with each probe that fails, up to half a minute', () => {
    const breaker = opened();
    const waits = [];
    for (let nowMs = 1_000, count = 0; count < 7; count++) {
      expect(call(breaker, failed('overloaded'), nowMs)).toEqual({ from: 'half_open', to: 'open' });
      const verdict = breaker.admit(nowMs);
      const waitMs = verdict.kind === 'refuse' ? verdict.retryAfterMs : 0;
      waits.push(waitMs);
      nowMs += waitMs;
    }
    expect(waits).toEqual([2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });

  it('goes on with the wait it had when it opens again soon, and begins anew after a minute in order', () => {
    const breaker = opened();
    call(breaker, ok(), 1_000);
    for (let count = 0; count < 5; count++) call(breaker, failed('network'), 2_000);
    expect(breaker.admit(2_000)).toEqual({ kind: 'refuse', retryAfterMs: 2_000 });
    call(breaker, ok(), 4_000);
    for (let count = 0; count < 5; count++) call(breaker, failed('network'), 70_000);
    expect(breaker.admit(70_000)).toEqual({ kind: 'refuse', retryAfterMs: 1_000 });
  });

  it('frees the place of a probe whose caller has left, without a verdict', () => {
    const breaker = opened();
    expect(call(breaker, IGNORED, 1_000)).toBeNull();
    expect(admitted(breaker, 1_000).isProbe).toBe(true);
  });

  it('is neither prolonged nor ended by calls that were under way when it opened', () => {
    const breaker = createCircuitBreaker();
    const burst = Array.from({ length: 100 }, () => admitted(breaker, 0));
    for (const one of burst.slice(0, 98)) breaker.report(failed('network'), one, 100);
    expect(burst.slice(98).map((one) => breaker.report(ok(), one, 500))).toEqual([null, null]);
    expect(breaker.admit(1_099)).toEqual({ kind: 'refuse', retryAfterMs: 1 });
    expect(admitted(breaker, 1_100).isProbe).toBe(true);
  });

  it('is not kept shut by a probe that hangs, and still believes it in the end', () => {
    const breaker = opened();
    const hanging = admitted(breaker, 1_000);
    expect(breaker.admit(30_999).kind).toBe('refuse');
    expect(admitted(breaker, 31_000).isProbe).toBe(true);
    expect(breaker.report(ok(), hanging, 40_000)).toEqual({ from: 'half_open', to: 'closed' });
  });

  it('hears the end of a probe that had been reported at its beginning as that of no probe', () => {
    const breaker = opened();
    const probe = admitted(breaker, 1_000);
    breaker.report(ok(), probe, 1_500);
    expect(breaker.report(failed('stream_error'), probe, 60_000)).toBeNull();
    expect(breaker.state(60_000)).toBe('closed');
  });
});

describe('a credential', () => {
  it('is out at the first 401', () => {
    expect(call(createCircuitBreaker(), failed('credential_refused'), 0)).toEqual({
      from: 'closed',
      to: 'credential_refused',
    });
  });

  it('is not out for the 403s of one while others succeed', () => {
    const breaker = createCircuitBreaker();
    for (let count = 0; count < 400; count++) call(breaker, count % 4 === 0 ? ok() : FORBIDDEN, count * 1_000);
    expect(breaker.state(400_000)).toBe('closed');
  });

  it('is not out for a burst of 403s', () => {
    const breaker = createCircuitBreaker();
    for (let count = 0; count < 100; count++) expect(call(breaker, FORBIDDEN, count)).toBeNull();
  });

  it('is out when 403s come for ten seconds and nothing else', () => {
    const breaker = createCircuitBreaker();
    for (let second = 0; second < 10; second++) expect(call(breaker, FORBIDDEN, second * 1_000)).toBeNull();
    expect(call(breaker, FORBIDDEN, 10_000)).toEqual({ from: 'closed', to: 'credential_refused' });
  });

  it('is tried after five seconds and then ever more rarely, in the end once a minute', () => {
    const breaker = credentialOut();
    const waits = [];
    for (let nowMs = 0, count = 0; count < 6; count++) {
      const verdict = breaker.admit(nowMs);
      const waitMs = verdict.kind === 'refuse' ? verdict.retryAfterMs : 0;
      waits.push(waitMs);
      expect(breaker.state(nowMs + waitMs)).toBe('credential_refused');
      call(breaker, failed('credential_refused'), (nowMs += waitMs));
    }
    expect(waits).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  });

  it.each([ok(), failed('rate_limited')])('comes back by itself when a probe is let in: %j', (result) => {
    expect(call(credentialOut(), result, 5_000)).toEqual({ from: 'credential_refused', to: 'closed' });
  });

  it('stays out when its probe finds the network broken', () => {
    const breaker = credentialOut();
    expect(call(breaker, failed('network'), 5_000)).toBeNull();
    expect(breaker.admit(5_000)).toEqual({ kind: 'refuse', retryAfterMs: 5_000 });
  });

  it("is found out by an open breaker's probe", () => {
    const breaker = opened();
    expect(call(breaker, failed('credential_refused'), 1_000)).toEqual({
      from: 'half_open',
      to: 'credential_refused',
    });
  });

  it('that is new is not judged by calls made with the old one', () => {
    const breaker = createCircuitBreaker();
    const old = [admitted(breaker, 0), admitted(breaker, 0)];
    for (const one of old) breaker.report(failed('credential_refused'), one, 100);
    const probe = admitted(breaker, 5_100);
    breaker.reset();
    expect(breaker.state(5_200)).toBe('closed');
    expect(breaker.report(failed('credential_refused'), probe, 5_200)).toBeNull();
    expect(admitted(breaker, 5_200).isProbe).toBe(false);
  });
});

const kinds: readonly FailureKind[] = ['network', 'server_error', 'overloaded', 'rate_limited', 'credential_refused'];
const results = fc.oneof(
  fc.constant(ok()),
  fc.constant(IGNORED),
  fc.constant(FORBIDDEN),
  fc.constantFrom(...kinds).map((kind) => failed(kind)),
);
/** Ask, or report one of the calls that are under way; short steps, so that no probe outlasts its patience. */
const steps = fc.array(fc.record({ passedMs: fc.nat({ max: 100 }), which: fc.option(fc.nat()), result: results }), {
  maxLength: 250,
});

describe('whatever calls and reports come', () => {
  it('nothing is refused while closed, and one probe at most is under way', () => {
    fc.assert(
      fc.property(steps, (taken) => {
        const breaker = createCircuitBreaker();
        const underWay: Admitted[] = [];
        let nowMs = 0;
        for (const { passedMs, which, result } of taken) {
          nowMs += passedMs;
          const state = breaker.state(nowMs);
          if (which !== null && underWay.length > 0) {
            const [ended] = underWay.splice(which % underWay.length, 1);
            if (ended) breaker.report(result, ended, nowMs);
            continue;
          }
          const verdict = breaker.admit(nowMs);
          expect(state === 'closed' && verdict.kind === 'refuse').toBe(false);
          if (verdict.kind === 'refuse') expect(verdict.retryAfterMs).toBeGreaterThan(0);
          else underWay.push(verdict);
          expect(underWay.filter(({ isProbe }) => isProbe).length).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it('somebody is let through within a minute, reported or not, and a success then closes', () => {
    fc.assert(
      fc.property(steps, (taken) => {
        const breaker = createCircuitBreaker();
        let nowMs = 0;
        for (const { passedMs, result } of taken) {
          const verdict = breaker.admit((nowMs += passedMs * 50));
          if (verdict.kind === 'admit') breaker.report(result, verdict, nowMs);
        }
        breaker.admit((nowMs += 60_000));
        call(breaker, ok(), nowMs + 30_000);
        expect(breaker.state(nowMs + 30_000)).toBe('closed');
      }),
    );
  });
});
