import type { Clock } from '../../core/clock.ts';
import { SLOW, type RedisHealth } from './redis-health.ts';

/**
 * One question to Redis, with the bound that keeps its trouble from becoming ours: after `slowMs` nobody waits for the
 * answer any more. A question that fails in any way is reported to the health and answered `failed`, never thrown.
 * A late answer is dropped: what it may have done in Redis is put right when the engine tells Redis anew what is held.
 */
export type AskRedis = <Reply>(command: Promise<Reply>) => Promise<Answered<Reply>>;

export type Answered<Reply> = { readonly kind: 'answered'; readonly reply: Reply } | { readonly kind: 'failed' };

export function createAskRedis(clock: Clock, health: RedisHealth): AskRedis {
  return (command) =>
    new Promise((resolve) => {
      let isPending = true;
      const settle = (): boolean => {
        const isFirst = isPending;
        isPending = false;
        cancel();
        return isFirst;
      };
      const fail = (failure: unknown): void => {
        if (!settle()) return;
        health.report(failure);
        resolve({ kind: 'failed' });
      };
      // When this process itself was busy, the answer lies in the socket and is read before the next immediate.
      const cancel = clock.after(health.slowMs, () => void setImmediate(() => fail(SLOW)));
      command.then((reply) => {
        if (settle()) resolve({ kind: 'answered', reply });
      }, fail);
    });
}
