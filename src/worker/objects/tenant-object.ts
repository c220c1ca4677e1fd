import { DurableObject, RpcTarget } from 'cloudflare:workers';
import type { ObjectKind } from '../../core/owned-objects.ts';
import type { Account } from '../../state/ledger.ts';
import { createMemorySlots } from '../../state/memory-slots.ts';
import type { Found, Listed, ObjectPage, OwnedObject } from '../../state/ownership.ts';
import type { Lease, SlotCount, SlotRules } from '../../state/slots.ts';
import { createClaims } from './claims.ts';
import type { Asker, TenantNews, TenantWord } from '../remote.ts';
import { createSpending } from './spending.ts';
import { createTenantNewsLog } from './tenant-news.ts';
import { createWaits } from './waits.ts';
import { workerClock } from '../worker-clock.ts';

/**
 * One tenant: its slots, what its isolates tell each other, and what it has spent; whoever comes for a slot gets word of
 * the rest with it. All its requests, from whichever isolate, wait in this one object, so that the slots of one process do.
 * They live in memory: the open handles keep the object alive, and a deploy that ends it admits more for as long as the
 * requests run that held them. Stored are what was spent, where conversations ran, and which batches and files are its own.
 */
const SLOTS = 'own';

export class TenantObject extends DurableObject {
  readonly #slots = createMemorySlots(workerClock);
  readonly #waits = createWaits();
  readonly #news = createTenantNewsLog(this.ctx.storage.kv, workerClock);
  readonly #spending = createSpending(this.ctx.storage.kv, workerClock);
  readonly #claims = createClaims(this.ctx.storage.sql, workerClock);

  async acquire(wait: string, rules: SlotRules, asker: Asker) {
    const grant = await this.#waits.hold(wait, (signal) => this.#slots.acquire(SLOTS, rules, signal));
    const word: TenantWord = { ...this.#news.since(asker), spent: this.#spending.account };
    return grant.kind === 'granted' ? { ...grant, lease: new SlotHandle(grant.lease), word } : { ...grant, word };
  }

  leave(wait: string): void {
    this.#waits.leave(wait);
  }

  tell(isolate: string, news: TenantNews): void {
    this.#news.tell(isolate, news);
  }

  spent(): Account {
    return this.#spending.account;
  }

  book(booking: string, periodStartMs: number, usd: number): void {
    this.#spending.book(booking, periodStartMs, usd);
  }

  claim(kind: ObjectKind, object: OwnedObject): void {
    this.#claims.claim(kind, object);
  }

  findClaim(kind: ObjectKind, id: string): Found {
    return this.#claims.find(kind, id);
  }

  forgetClaim(kind: ObjectKind, id: string): void {
    this.#claims.forget(kind, id);
  }

  listClaims(kind: ObjectKind, page: ObjectPage): Listed {
    return this.#claims.list(kind, page);
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
