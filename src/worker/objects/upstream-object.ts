import { DurableObject, RpcTarget } from 'cloudflare:workers';
import { createAdaptiveLimit } from '../../core/limits/adaptive-limit.ts';
import type { AttemptResult } from '../../core/attempt.ts';
import type { HeaderMap } from '../../core/headers.ts';
import { createMemoryUpstreamCapacity } from '../../state/memory-upstream-capacity.ts';
import type { CapacityAsk, CapacityLease } from '../../state/upstream-capacity.ts';
import type { UpstreamStanding } from '../remote.ts';
import { createWaits } from './waits.ts';
import { workerClock } from '../worker-clock.ts';

/**
 * One upstream: what it bears, for all isolates together. What was learned of it lives as long as the object does, which is
 * as long as there is traffic; after that it starts at its ceiling again.
 */
const LINE = 'own';

export class UpstreamObject extends DurableObject {
  readonly #capacity = createMemoryUpstreamCapacity({ clock: workerClock, createLimit: createAdaptiveLimit });
  readonly #waits = createWaits();

  async acquire(wait: string, ceiling: number, ask: CapacityAsk) {
    this.#capacity.setCeiling(LINE, ceiling);
    const grant = await this.#waits.hold(wait, (signal) => this.#capacity.acquire(LINE, ask, signal));
    const load = this.#capacity.load(LINE);
    return grant.kind === 'granted' ? { ...grant, lease: new CapacityHandle(grant.lease), load } : { ...grant, load };
  }

  leave(wait: string): void {
    this.#waits.leave(wait);
  }

  standing(): UpstreamStanding {
    const quotas = this.#capacity.quotas().map(({ upstream: _line, ...reading }) => reading);
    return { load: this.#capacity.load(LINE), quotas };
  }
}

class CapacityHandle extends RpcTarget {
  readonly #lease: CapacityLease;

  constructor(lease: CapacityLease) {
    super();
    this.#lease = lease;
  }

  head(headers: HeaderMap): void {
    this.#lease.head(headers);
  }

  release(result: AttemptResult): void {
    this.#lease.release(result);
  }

  [Symbol.dispose](): void {
    this.#lease.release({ kind: 'ignored' });
  }
}
