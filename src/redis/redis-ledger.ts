import type { Clock } from '../core/clock.ts';
import type { Ledger } from '../state/ledger.ts';
import type { AskRedis } from './connection/ask-redis.ts';
import type { RedisClient } from './connection/redis-connections.ts';
import { defineScript } from './connection/redis-script.ts';

/**
 * Budgets over all replicas. In Redis each process has a field of its own with all that it has booked in the period, and
 * what is spent is the sum of the fields. So writing is idempotent: what could not be written, or may have been, is
 * written again, and a Redis that lost its data has the amounts of the living back at once. What this process has booked is
 * known at once; what others have, as it was last heard: each read asks anew for the next one, and only one that has
 * heard nothing for `KNOWN_MS` waits. Without Redis, as it was last known.
 */
export interface RedisLedger extends Ledger {
  /** Writes what has not been written. */
  flush(): Promise<void>;
  /** Redis may have lost what it was told. */
  forgetWritten(): void;
}

export interface RedisLedgerOptions {
  readonly redis: RedisClient;
  readonly clock: Clock;
  readonly ask: AskRedis;
  readonly isWell: () => boolean;
  readonly keyPrefix: string;
  readonly instance: string;
}

interface Account {
  readonly tenantId: string;
  readonly periodStartMs: number;
  ownUsd: number;
  writtenUsd: number;
  othersUsd: number;
  heardAtMs: number;
  /** A question for what others have booked, under way. */
  asking: Promise<void> | null;
}

/** Older than this is asked for again, but not waited for: the answer is there for the next request. */
const FRESH_MS = 200;
/** Older than this is waited for, one round trip before that of the slot: a tenant's first request after a silence. */
const KNOWN_MS = 30_000;
/** Written at once: what Redis does in a millisecond or two. */
const BATCH_ACCOUNTS = 100;
/** The longest period is a month. */
const KEEP_MS = 33 * 24 * 3_600_000;

const EXCHANGE = `
if tonumber(ARGV[2]) > 0 then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
local all, others = redis.call('HGETALL', KEYS[1]), 0
for at = 1, #all, 2 do
  if all[at] ~= ARGV[1] then others = others + tonumber(all[at + 1]) end
end
return string.format('%.9f', others)
`;

export function createRedisLedger({ redis, clock, ask, isWell, keyPrefix, instance }: RedisLedgerOptions): RedisLedger {
  const exchange = defineScript<string>(redis, 'ledger-exchange', 1, EXCHANGE);
  const accounts = new Map<string, Account>();

  const open = (tenantId: string, periodStartMs: number): Account => {
    for (const [name, one] of accounts) {
      const isOver = one.tenantId === tenantId && one.periodStartMs < periodStartMs;
      if (isOver && one.writtenUsd === one.ownUsd) accounts.delete(name);
    }
    const heardAtMs = Number.NEGATIVE_INFINITY;
    const nothing = { ownUsd: 0, writtenUsd: 0, othersUsd: 0 };
    const account: Account = { tenantId, periodStartMs, ...nothing, heardAtMs, asking: null };
    accounts.set(`${periodStartMs} ${tenantId}`, account);
    return account;
  };
  const accountOf = (tenantId: string, periodStartMs: number): Account =>
    accounts.get(`${periodStartMs} ${tenantId}`) ?? open(tenantId, periodStartMs);

  const talk = async (account: Account): Promise<void> => {
    const { tenantId, periodStartMs, ownUsd } = account;
    const askedAtMs = clock.nowMs();
    const key = `${keyPrefix}{t:${tenantId}}:spent:${periodStartMs}`;
    const answer = await ask(exchange([key], [instance, ownUsd, KEEP_MS]));
    if (answer.kind === 'failed') return;
    account.writtenUsd = ownUsd;
    account.heardAtMs = askedAtMs;
    // Amounts only grow: less means that Redis has lost those of processes that are gone.
    account.othersUsd = Math.max(account.othersUsd, Number(answer.reply));
  };

  const hear = (account: Account): Promise<void> =>
    (account.asking ??= talk(account).finally(() => (account.asking = null)));

  return {
    async spentUsd(tenantId, periodStartMs) {
      const account = accountOf(tenantId, periodStartMs);
      const ageMs = clock.nowMs() - account.heardAtMs;
      if (isWell() && ageMs > FRESH_MS) {
        const heard = hear(account);
        if (ageMs > KNOWN_MS) await heard;
      }
      return account.ownUsd + account.othersUsd;
    },
    book(tenantId, periodStartMs, usd) {
      const account = accountOf(tenantId, periodStartMs);
      account.ownUsd += usd;
      if (isWell()) void talk(account);
    },
    async flush() {
      const unwritten = [...accounts.values()].filter(({ writtenUsd, ownUsd }) => writtenUsd !== ownUsd);
      for (let at = 0; at < unwritten.length; at += BATCH_ACCOUNTS) {
        await Promise.all(unwritten.slice(at, at + BATCH_ACCOUNTS).map(talk));
      }
    },
    forgetWritten() {
      for (const account of accounts.values()) account.writtenUsd = 0;
    },
  };
}
