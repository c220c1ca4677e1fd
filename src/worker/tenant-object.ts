import { DurableObject, RpcTarget } from 'cloudflare:workers';
import { createMemorySlots } from '../state/memory-slots.ts';
import type { Lease, SlotCount, SlotRules } from '../state/slots.ts';
import { createSpending } from './spending.ts';
import { createWaits } from './waits.ts';
import { workerClock } from './worker-clock.ts';

/**
 * One tenant: its slots and what it has spent. All its requests, from whichever isolate, wait in this one object, so that
 * the slots of one process do. They live in memory: the open handles keep the object alive, and a deploy that ends it
 * admits more for as long as the requests run that held them. What was spent is stored.
 */
const SLOTS = 'own';

export class TenantObject extends DurableObject {
  readonly #slots = createMemorySlots(workerClock);
  readonly #waits = createWaits();
  readonly #spending = createSpending(this.ctx.storage.kv, workerClock);

  async acquire(wait: string, rules: SlotRules) {
    const grant = await this.#waits.hold(wait, (signal) => this.#slots.acquire(SLOTS, rules, signal));
    return grant.kind === 'granted' ? { ...grant, lease: new SlotHandle(grant.lease) } : grant;
  }

  leave(wait: string): void {
    this.#waits.leave(wait);
  }

  spentUsd(periodStartMs: number): number {
    return this.#spending.spentUsd(periodStartMs);
  }

  book(booking: string, periodStartMs: number, usd: number): void {
    this.#spending.book(booking, periodStartMs, usd);
  }

  /** An idle tenant's limit is 0 here: only its requests say what it is. */
  count(): SlotCount {
    return this.#slots.counts().get(SLOTS) ?? { inUse: 0, waiting: 0, limit: 0 };
  }
}

class SlotHandle extends RpcTarget {
  readonly #lease: Lease;

  constructor(lease: Lease) {
    super();
    this.#lease = lease;
  }

  [Symbol.dispose](): void {
    this.#lease.release();
  }
}
