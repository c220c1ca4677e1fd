import type { FaultOrder } from '../faults/fault-desk.ts';
import { invalid } from '../wire/api-error.ts';
import { isObject, type Json } from '../wire/json.ts';
import { type Reply, whole, type World } from './world.ts';

/** The control endpoints under /_simulator: no key, no observation, not a part of the API. */
export async function orderFault(request: Request, world: World): Promise<Reply> {
  const order = readOrder(await request.json().catch(() => null));
  if (order === 'wrong') return invalid('a fault order has {fault, times?, rate?, match?: {path?, model?, key?}}');
  const placed = world.desk.order(order);
  return placed.kind === 'wrong' ? invalid(placed.problem) : whole({ orders: world.desk.orders });
}

export function cancelFaults(world: World): Reply {
  world.desk.clear();
  return whole({ orders: 0 });
}

export function state(world: World): Reply {
  const { observations, cache, desk, ledger } = world;
  return whole({
    cache_entries: cache.entries,
    open_streams: observations.openStreams,
    open_requests: observations.openRequests,
    fault_orders: desk.orders,
    totals: ledger.totals(),
  });
}

function readOrder(json: unknown): FaultOrder | 'wrong' {
  const body = json as Json;
  if (!isObject(body) || typeof body['fault'] !== 'string') return 'wrong';
  const { fault, times, rate, match } = body;
  const matched = isObject(match) ? Object.entries(match).filter(([, value]) => typeof value === 'string') : [];
  return {
    fault,
    ...(typeof times === 'number' ? { times } : {}),
    ...(typeof rate === 'number' ? { rate } : {}),
    match: Object.fromEntries(matched),
  };
}
