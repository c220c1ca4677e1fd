import type { AdaptiveLimit } from '../../core/limits/adaptive-limit.ts';
import type { Clock } from '../../core/clock.ts';
import { createMemoryUpstreamCapacity } from '../../state/memory-upstream-capacity.ts';
import type { UpstreamCapacity } from '../../state/upstream-capacity.ts';
import type { AskRedis } from '../connection/ask-redis.ts';
import type { CeilingShares } from './ceiling-shares.ts';
import { createShuttableLimit } from './shuttable-limit.ts';

/**
 * What an upstream bears, over all replicas: each has a line of its own (adaptive limit, rate limits, fairness between
 * tenants) under its share of the ceiling, and the shares follow the demand. A request asks nobody: its upstream slot costs
 * no round trip. What that gives: the ceiling holds over all replicas; who waits at one while another has room waits for two
 * beats at most; each replica learns limits and quotas from its own answers; fairness between tenants is per replica.
 */
export interface RedisCapacity extends UpstreamCapacity {
  /** States this replica's demand, and works with what it gets. */
  claimShares(): Promise<void>;
  /** Whether somebody waits who a greater share would help. */
  isShort(): boolean;
  goAlone(): void;
  /** Gives this replica's shares back. */
  leave(): Promise<void>;
}

export interface RedisCapacityOptions {
  readonly clock: Clock;
  readonly createLimit: (ceiling: number) => AdaptiveLimit;
  readonly shares: CeilingShares;
  readonly ask: AskRedis;
  readonly isWell: () => boolean;
  readonly replicas: () => number;
}

/** A request that has to wait does not wait for the beat; a thousand that do are one claim. */
const CLAIM_AGAIN_MS = 50;

export function createRedisCapacity(options: RedisCapacityOptions): RedisCapacity {
  const { clock, createLimit, shares, ask, isWell, replicas } = options;
  const local = createMemoryUpstreamCapacity({
    clock,
    createLimit: (ceiling) => createShuttableLimit(createLimit, ceiling),
  });
  const ceilings = new Map<string, number>();
  const shareOf = new Map<string, number>();
  const claimedAtMs = new Map<string, number>();
  const claiming = new Set<string>();

  const work = (upstreamId: string, share: number): void => {
    shareOf.set(upstreamId, share);
    local.setCeiling(upstreamId, share);
  };
  const divide = (upstreamId: string, ceiling: number): void =>
    work(upstreamId, Math.max(1, Math.floor(ceiling / replicas())));

  /** Resolves with whether it is less than before, which others get only when they are told so. */
  const claimOnce = async (upstreamId: string): Promise<boolean> => {
    const { inUse, waiting } = local.load(upstreamId);
    const share = shareOf.get(upstreamId) ?? 0;
    claimedAtMs.set(upstreamId, clock.nowMs());
    const ceiling = ceilings.get(upstreamId) ?? 0;
    const answer = await ask(shares.claim(upstreamId, ceiling, Math.max(share, inUse), inUse + waiting));
    if (answer.kind === 'failed' || !isWell()) return false;
    work(upstreamId, answer.reply);
    return answer.reply < share;
  };
  /** One at a time: an answer that another question has overtaken is not what stands on record. */
  const claim = async (upstreamId: string): Promise<void> => {
    if (claiming.has(upstreamId)) return;
    claiming.add(upstreamId);
    if (await claimOnce(upstreamId)) await claimOnce(upstreamId);
    claiming.delete(upstreamId);
  };
  const claimIfShort = (upstreamId: string): void => {
    if (!isWell() || local.load(upstreamId).waiting === 0) return;
    const sinceMs = clock.nowMs() - (claimedAtMs.get(upstreamId) ?? 0);
    if (sinceMs >= CLAIM_AGAIN_MS) void claim(upstreamId);
  };
  return {
    acquire(upstreamId, ask, signal) {
      const grant = local.acquire(upstreamId, ask, signal);
      claimIfShort(upstreamId);
      return grant;
    },
    counts: local.counts,
    load: local.load,
    quotas: local.quotas,
    setCeiling(upstreamId, ceiling) {
      const known = ceilings.get(upstreamId);
      if (known === ceiling) return;
      ceilings.set(upstreamId, ceiling);
      if (!isWell()) return divide(upstreamId, ceiling);
      if (known === undefined) work(upstreamId, 0); // until it is known what others have
      void claim(upstreamId);
    },
    async claimShares() {
      await Promise.all([...ceilings.keys()].map(claim));
    },
    isShort: () => [...ceilings.keys()].some((upstreamId) => local.load(upstreamId).waiting > 0),
    goAlone() {
      for (const [upstreamId, ceiling] of ceilings) divide(upstreamId, ceiling);
    },
    async leave() {
      await Promise.all([...ceilings.keys()].map((upstreamId) => ask(shares.leave(upstreamId))));
    },
  };
}
