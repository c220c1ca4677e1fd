import { findModel } from '../model/models.ts';
import { share } from '../wire/digest.ts';
import type { Fault } from './fault.ts';
import { parseFaults } from './parse-faults.ts';

/**
 * The faults ordered for calls to come. The first order that matches a call and whose dice say so is taken; an order with
 * `times` is used up. The dice are the seed's: the n-th matching call has the same luck in every run.
 */
export interface FaultOrder {
  /** As in the `x-simulator-fault` header. */
  readonly fault: string;
  /** How many calls it hits; unlimited if left out. */
  readonly times?: number;
  /** Share of matching calls it hits, 0 to 1; all if left out. */
  readonly rate?: number;
  /** Path without query; model by id or alias. */
  readonly match?: { readonly path?: string; readonly model?: string; readonly key?: string };
}

interface FaultedCall {
  readonly path: string;
  readonly model: string;
  readonly key: string;
}

export interface FaultDesk {
  order(order: FaultOrder): { readonly kind: 'ordered' } | { readonly kind: 'wrong'; readonly problem: string };
  take(call: FaultedCall): readonly Fault[];
  clear(): void;
  readonly orders: number;
}

interface Standing {
  readonly order: FaultOrder;
  readonly faults: readonly Fault[];
  readonly number: number;
  left: number;
  seen: number;
}

export function createFaultDesk(seed: number): FaultDesk {
  let standing: Standing[] = [];
  let count = 0;
  return {
    order(order) {
      const parsed = parseFaults(order.fault);
      if (parsed.kind === 'wrong') return parsed;
      const left = order.times ?? Number.POSITIVE_INFINITY;
      standing.push({ order, faults: parsed.faults, number: ++count, left, seen: 0 });
      return { kind: 'ordered' };
    },
    take(call) {
      const hit = standing.find((one) => matches(one.order, call) && isHit(one, seed));
      if (!hit) return [];
      hit.left -= 1;
      standing = standing.filter((one) => one.left > 0);
      return hit.faults;
    },
    clear() {
      standing = [];
      count = 0;
    },
    get orders() {
      return standing.length;
    },
  };
}

function matches({ match = {} }: FaultOrder, call: FaultedCall): boolean {
  const { path = call.path, model = call.model, key = call.key } = match;
  const sameModel = model === call.model || findModel(model)?.id === call.model;
  return path === call.path && sameModel && key === call.key;
}

function isHit(one: Standing, seed: number): boolean {
  one.seen += 1;
  return share(`fault/${one.number}/${one.seen}`, seed) < (one.order.rate ?? 1);
}
