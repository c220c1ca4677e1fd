import type { AttemptResult } from '../../core/attempt.ts';
import { isRateLimitHeader, type HeaderMap } from '../../core/headers.ts';
import type { SlotCount } from '../../state/slots.ts';
import type { CapacityAsk, CapacityGrant, CapacityLease, UpstreamCapacity } from '../../state/upstream-capacity.ts';
import { createLocalShare, SHARE_RETRY_MS } from './local-share.ts';
import type { RemoteCalls } from './remote-call.ts';
import type { RemoteCapacityLease, Remotes } from '../remote.ts';

/**
 * Capacity of upstreams, each in its object. The load that routing asks for at once is the one that the object told with
 * its last answer: as old as this isolate's last call there.
 */
export function createDurableCapacity(remotes: Pick<Remotes, 'upstream'>, calls: RemoteCalls): UpstreamCapacity {
  const share = createLocalShare();
  const ceilings = new Map<string, number>();
  const loads = new Map<string, SlotCount>();
  const ceilingOf = (upstreamId: string): number => {
    const ceiling = ceilings.get(upstreamId);
    if (ceiling === undefined) throw new Error(`no ceiling has been set for the upstream "${upstreamId}"`);
    return ceiling;
  };
  const idle = (upstreamId: string): SlotCount => ({ inUse: 0, waiting: 0, limit: ceilings.get(upstreamId) ?? 0 });

  return {
    async acquire(upstreamId: string, ask: CapacityAsk, signal: AbortSignal): Promise<CapacityGrant> {
      const ceiling = ceilingOf(upstreamId);
      const answer = await calls.wait({
        signal,
        reach: () => remotes.upstream(upstreamId),
        begin: (upstream, wait) => upstream.acquire(wait, ceiling, ask),
        maxMs: ask.maxWaitMs,
      });
      if (answer === 'abandoned') return { kind: 'abandoned' };
      if (answer === 'unreachable') {
        const lease = share.take(upstreamId, ceiling);
        if (!lease) return { kind: 'full', retryAfterMs: SHARE_RETRY_MS };
        return { kind: 'granted', lease: { head: () => {}, release: () => lease.release() }, waitedMs: 0 };
      }
      loads.set(upstreamId, answer.load);
      if (answer.kind === 'granted') {
        const lease = leaseOf(answer.lease, () => answer[Symbol.dispose](), calls);
        return { kind: 'granted', lease, waitedMs: answer.waitedMs };
      }
      answer[Symbol.dispose]();
      return answer;
    },
    setCeiling: (upstreamId, ceiling) => void ceilings.set(upstreamId, ceiling),
    counts: () => new Map([...ceilings.keys()].map((id) => [id, loads.get(id) ?? idle(id)])),
    load: (upstreamId) => loads.get(upstreamId) ?? idle(upstreamId),
    quotas: () => [],
  };
}

function leaseOf(remote: RemoteCapacityLease, dispose: () => void, calls: RemoteCalls): CapacityLease {
  let isHeld = true;
  return {
    head(headers) {
      const told = rateLimitsOf(headers);
      if (isHeld) calls.tell(() => remote.head(told));
    },
    release(result: AttemptResult) {
      if (!isHeld) return;
      isHeld = false;
      calls.tell(() => remote.release(result).finally(dispose));
    },
  };
}

/** All that is read of a head; an object's calls are paid by the byte of what they copy. */
function rateLimitsOf(headers: HeaderMap): HeaderMap {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => isRateLimitHeader(name)));
}
