import { createApp } from './app.ts';
import { createCacheEngine } from './cache/engine.ts';
import { createFaultDesk, type FaultOrder } from './faults/fault-desk.ts';
import { createRateLimits } from './limits/rate-limits.ts';
import { createLedger, type Ledger } from './observe/ledger.ts';
import { createObservationLog, type Observations } from './observe/observations.ts';
import type { World } from './serve/world.ts';
import { settle, type SimulatorOptions } from './settings.ts';
import { identifier } from './wire/digest.ts';

/**
 * A Claude API in a value: hand its `fetch` to a client, or put it behind any HTTP server. It shares no code with the gateway,
 * so that the two can disagree. Everything it does follows from its options, the calls it gets and their times.
 */
export interface Simulator {
  fetch(request: Request): Promise<Response>;
  readonly observations: Observations;
  /** What was billed so far, by workspace and model. */
  totals(): ReturnType<Ledger['totals']>;
  /** Entries the prompt cache holds. */
  readonly cacheEntries: number;
  /** Orders a fault for calls to come; throws if its text isn't in the grammar. */
  script(order: FaultOrder | string): void;
  /** As if newly made: cache, bills, limits, orders, observations and the series of ids. Open streams go on. */
  reset(): void;
}

export function createSimulator(options: SimulatorOptions): Simulator {
  const settings = settle(options);
  const { clock, seed } = settings;
  let issued = 0;
  const world: World = {
    settings,
    clock,
    cache: createCacheEngine(settings),
    ledger: createLedger(),
    observations: createObservationLog(settings.keep),
    limits: createRateLimits(settings.rateLimits, clock),
    desk: createFaultDesk(seed),
    nextId: (prefix) => prefix + identifier(prefix === 'msg_01' ? 22 : 20, `${prefix}/${++issued}`, seed),
  };
  const reset = () => {
    issued = 0;
    for (const part of [world.cache, world.ledger, world.observations, world.limits, world.desk]) part.clear();
  };
  const app = createApp(world, reset);
  return {
    fetch: async (request) => app.fetch(request),
    observations: world.observations,
    totals: () => world.ledger.totals(),
    get cacheEntries() {
      return world.cache.entries;
    },
    script(order) {
      const placed = world.desk.order(typeof order === 'string' ? { fault: order, times: 1 } : order);
      if (placed.kind === 'wrong') throw new Error(placed.problem);
    },
    reset,
  };
}
