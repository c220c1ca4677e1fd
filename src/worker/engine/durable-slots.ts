import type { SlotCount, SlotGrant, Slots } from '../../state/slots.ts';
import { createLocalShare, SHARE_RETRY_MS } from './local-share.ts';
import type { RemoteCalls } from './remote-call.ts';
import type { Remotes } from '../remote.ts';
import type { TenantWords } from './tenant-words.ts';

/**
 * Slots of tenants, each in its object. One call before a request starts, which brings word of the tenant as well; giving
 * back is a handle's disposal.
 */
export function createDurableSlots(remotes: Pick<Remotes, 'tenant'>, calls: RemoteCalls, words: TenantWords): Slots {
  const share = createLocalShare();
  return {
    async acquire(name, rules, signal): Promise<SlotGrant> {
      const answer = await calls.wait({
        signal,
        reach: () => remotes.tenant(name),
        begin: (tenant, wait) => tenant.acquire(wait, rules, words.asker(name)),
        maxMs: rules.maxWaitMs,
      });
      if (answer === 'abandoned') return { kind: 'abandoned' };
      if (answer === 'unreachable') {
        const lease = share.take(name, rules.limit);
        return lease ? { kind: 'granted', lease, waitedMs: 0 } : { kind: 'full', retryAfterMs: SHARE_RETRY_MS };
      }
      words.hear(name, answer.word);
      if (answer.kind === 'granted') {
        return { kind: 'granted', lease: { release: () => answer[Symbol.dispose]() }, waitedMs: answer.waitedMs };
      }
      answer[Symbol.dispose]();
      return answer;
    },
    setLimit: () => {}, // each request brings its rules to the object
    counts: () => NOWHERE,
  };
}

/** What runs is known to the objects and, from them, to the metrics hub. */
const NOWHERE: ReadonlyMap<string, SlotCount> = new Map();
