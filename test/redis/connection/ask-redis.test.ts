import { describe, expect, it } from 'vitest';
import { createAskRedis, type Answered } from '../../../src/redis/connection/ask-redis.ts';
import { createRedisHealth, SLOW_MS } from '../../../src/redis/connection/redis-health.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

function setUp() {
  const clock = createFakeClock();
  const health = createRedisHealth();
  health.recovered();
  return { clock, health, ask: createAskRedis(clock, health) };
}

describe('a question to Redis', () => {
  it('is answered with the reply, and leaves no timer', async () => {
    const { clock, health, ask } = setUp();
    expect(await ask(Promise.resolve(7))).toEqual({ kind: 'answered', reply: 7 });
    expect(clock.pending).toBe(0);
    expect(health.isWell()).toBe(true);
  });

  it('is given up after 50 ms unless told otherwise, and a late reply changes nothing', async () => {
    const { clock, health, ask } = setUp();
    const { promise, resolve } = Promise.withResolvers<number>();
    let answer: Answered<number> | null = null;
    void ask(promise).then((one) => (answer = one));
    await clock.advance(SLOW_MS - 1);
    expect(answer).toBeNull();
    await clock.advance(1);
    expect(answer).toEqual({ kind: 'failed' });
    expect(health.state()).toEqual({ kind: 'degraded', because: 'Redis answers too slowly' });
    resolve(7);
    await clock.advance(0);
    expect(answer).toEqual({ kind: 'failed' });
  });

  it('that fails late is not held against a Redis that is well again', async () => {
    const { clock, health, ask } = setUp();
    const { promise, reject } = Promise.withResolvers<number>();
    const answer = ask(promise);
    await clock.advance(SLOW_MS);
    health.recovered();
    reject(new Error('the connection is closed'));
    expect(await answer).toEqual({ kind: 'failed' });
    await clock.advance(0);
    expect(health.isWell()).toBe(true);
  });

  it('whose reply lay in the socket while this process was busy is answered', async () => {
    const { clock, health, ask } = setUp();
    const { promise, resolve } = Promise.withResolvers<number>();
    const answer = ask(promise);
    setImmediate(() => resolve(7)); // as a socket is read: after the timers that are due, before what they put off
    await clock.advance(SLOW_MS);
    expect(await answer).toEqual({ kind: 'answered', reply: 7 });
    expect(health.isWell()).toBe(true);
  });

  it.each([
    ['OOM command not allowed when used memory > maxmemory', 'Redis is full'],
    ["READONLY You can't write against a read only replica.", 'Redis is a replica that takes no writes'],
    ['LOADING Redis is loading the dataset in memory', 'Redis is loading its data'],
    ['NOAUTH Authentication required.', 'Redis asks for a password'],
    ['WRONGPASS invalid username-password pair', 'Redis refuses the password'],
    ['connect ECONNREFUSED 10.0.0.7:6379', 'Redis is unreachable'],
  ])('that fails by "%s" is told of as: %s', async (message, because) => {
    const { health, ask } = setUp();
    expect(await ask(Promise.reject(new Error(message)))).toEqual({ kind: 'failed' });
    expect(health.state()).toEqual({ kind: 'degraded', because });
  });
});

describe('the health of Redis', () => {
  it('keeps the reason for which there is no connection while commands fail for want of one', () => {
    const health = createRedisHealth();
    health.report(new Error('WRONGPASS invalid username-password pair'));
    health.report(new Error("Stream isn't writeable and enableOfflineQueue options is false"));
    health.report(new Error('Connection is closed.'));
    expect(health.state()).toEqual({ kind: 'degraded', because: 'Redis refuses the password' });
    health.report(new Error('connect ECONNREFUSED'));
    expect(health.state()).toEqual({ kind: 'degraded', because: 'Redis is unreachable' });
  });

  it('is told when it changes, not when the reason does', () => {
    const health = createRedisHealth();
    const told: string[] = [];
    health.onChange(({ kind }) => told.push(kind));
    health.report(new Error('x'));
    health.recovered();
    health.recovered();
    health.report(new Error('x'));
    health.report(new Error('OOM'));
    expect(told).toEqual(['ok', 'degraded']);
    expect(health.state()).toEqual({ kind: 'degraded', because: 'Redis is full' });
  });
});
