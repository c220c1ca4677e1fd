// A soak at rest: the load pauses, everything under way ends, and what the gateway still holds is looked at. Five
// collections, the median of them: one alone can fall into a moment of Node's own.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Observations } from '../../src/simulator/observe/observations.ts';
import type { GatewayChild } from './gateway-child.ts';
import type { MemoryFigures } from './gateway-messages.ts';
import { readMetricsPage } from './metrics-page.ts';

/** All 0 where nothing leaked. */
export interface Leftovers {
  readonly slots: number;
  readonly waiters: number;
  readonly openStreams: number;
  readonly timers: number;
  readonly upstreamStreams: number;
  readonly upstreamCalls: number;
}

export interface Rest {
  readonly leftovers: Leftovers;
  readonly memory: MemoryFigures;
}

export interface Checkpoint extends Rest {
  readonly atSeconds: number;
  readonly phase: 'warm-up' | 'soak';
}

const REST_DEADLINE_MS = 15_000;
const POLL_MS = 50;
const COLLECTIONS = 5;
const BETWEEN_COLLECTIONS_MS = 100;

export async function takeCheckpoint(gateway: GatewayChild, observations: Observations): Promise<Rest> {
  const leftovers = await rest(gateway, observations);
  const measured: MemoryFigures[] = [];
  for (let round = 0; round < COLLECTIONS; round++) {
    measured.push((await gateway.ask('memory')).memory);
    await sleep(BETWEEN_COLLECTIONS_MS);
  }
  const sorted = measured.toSorted((one, other) => one.heapBytes - other.heapBytes);
  const memory = sorted[Math.floor(COLLECTIONS / 2)];
  if (!memory) throw new Error('nothing was measured');
  return { leftovers, memory };
}

/** Waits until nothing is left, or until it is clear that something stays. */
async function rest(gateway: GatewayChild, observations: Observations): Promise<Leftovers> {
  for (const untilMs = performance.now() + REST_DEADLINE_MS; ; await sleep(POLL_MS)) {
    const leftovers = await lookAt(gateway, observations);
    const isAtRest = Object.values(leftovers).every((count) => count === 0);
    if (isAtRest || performance.now() > untilMs) return leftovers;
  }
}

async function lookAt(gateway: GatewayChild, observations: Observations): Promise<Leftovers> {
  const page = readMetricsPage(await gateway.metricsPage());
  const { timers } = await gateway.ask('timers');
  return {
    slots: page.sum('slipstream_slots_in_use'),
    waiters: page.sum('slipstream_queue_depth'),
    openStreams: page.sum('slipstream_open_streams'),
    timers,
    upstreamStreams: observations.openStreams,
    upstreamCalls: observations.openRequests,
  };
}
