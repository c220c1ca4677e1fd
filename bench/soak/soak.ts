// One soak from start to end: simulator and load here, the gateway in a process of its own; warm-up, then load and rests in
// turns, then the checks. However it ends, nothing that it started is left.

import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../src/node/system-clock.ts';
import { serveSimulator } from '../../src/node/demo/serve-simulator.ts';
import { DEFAULT_TIMING } from '../../src/simulator/settings.ts';
import { createSimulator, type Simulator } from '../../src/simulator/simulator.ts';
import { createAccount, type Account, type Books } from './account.ts';
import { takeCheckpoint, type Checkpoint } from './checkpoint.ts';
import type { Check, Evidence } from './check.ts';
import { counterChecks } from './counter-checks.ts';
import { processChecks } from './process-checks.ts';
import { tokenChecks } from './token-checks.ts';
import { faultOrders } from './faults.ts';
import { fastClock, SPEED } from './fast-clock.ts';
import { startGatewayChild, type GatewayChild } from './gateway-child.ts';
import { startLoad, type Load } from './load.ts';
import { readMetricsPage } from './metrics-page.ts';
import { progressLine } from './report.ts';
import { soakSettings, WORKSPACES } from './settings.ts';
import { soakTenants } from './tenants.ts';

export interface SoakOptions {
  readonly seconds: number;
  /** Share of calls upstream that are given a fault. */
  readonly faultShare: number;
  readonly seed: number;
  /** Aborted: no further load; what there is by then is checked. */
  readonly stop: AbortSignal;
  readonly onProgress: (line: string) => void;
}

export interface SoakResult {
  readonly seconds: number;
  readonly isInterrupted: boolean;
  readonly books: Books;
  readonly checkpoints: readonly Checkpoint[];
  readonly checks: readonly Check[];
}

interface Stage {
  readonly simulator: Simulator;
  readonly gateway: GatewayChild;
  readonly load: Load;
  readonly account: Account;
  readonly internalErrors: string[];
}

/** Never reached; they are there for the headers. */
const RATE_LIMITS = {
  eachClass: { requestsPerMinute: 1_000_000, inputTokensPerMinute: 1e10, outputTokensPerMinute: 1e10 },
};
const OBSERVATIONS_KEPT = 4_000;
const ERRORS_KEPT = 20;
const HARVEST_MS = 500;
const PROGRESS_MS = 5_000;
/** What the gateway keeps longest of a request it keeps for an hour (what it waits to see return): until then it grows. */
const HOUR_SECONDS = 3_600 / SPEED;
const WARM_UP = { share: 0.2, atLeastSeconds: 1.2 * HOUR_SECONDS, atMostShare: 0.5 };
const LONGEST_LEG_SECONDS = 60;
const SHORTEST_LEG_SECONDS = 5;

export async function runSoak(options: SoakOptions): Promise<SoakResult> {
  const simulator = createSimulator({
    clock: fastClock(systemClock),
    seed: options.seed,
    workspaces: WORKSPACES,
    timing: DEFAULT_TIMING,
    rateLimits: RATE_LIMITS,
    keep: { calls: OBSERVATIONS_KEPT, bodyBytes: 0 },
  });
  for (const order of faultOrders(options.faultShare)) simulator.script(order);
  const server = await serveSimulator(simulator.fetch, 0);
  const tenants = soakTenants();
  try {
    const gateway = await startGatewayChild(soakSettings(server.baseUrl, tenants));
    const account = createAccount((key) => new Map<string, string>(Object.entries(WORKSPACES)).get(key) ?? 'none');
    const load = startLoad({ port: gateway.port, tenants, onAsked: account.onAsked });
    const stage: Stage = { simulator, gateway, load, account, internalErrors: [] };
    try {
      return await soak(stage, options);
    } finally {
      await load.close();
      await gateway.stop();
    }
  } finally {
    await server.close();
  }
}

async function soak(stage: Stage, { seconds, stop, onProgress }: SoakOptions): Promise<SoakResult> {
  const { simulator, gateway, load, account } = stage;
  const startedMs = systemClock.nowMs();
  const elapsedSeconds = (): number => (systemClock.nowMs() - startedMs) / 1000;
  const checkpoints: Checkpoint[] = [];
  let nextLineMs = startedMs;
  const tell = (): void => {
    if (systemClock.nowMs() < nextLineMs) return;
    nextLineMs += PROGRESS_MS;
    onProgress(progressLine({ atSeconds: elapsedSeconds(), seconds, load, simulator, checkpoints }));
  };
  for (const leg of legsOf(seconds)) {
    if (stop.aborted && checkpoints.length > 0) break;
    load.resume();
    await runLeg(stage, leg.seconds * 1_000, stop, tell);
    await load.pause();
    checkpoints.push({
      ...(await takeCheckpoint(gateway, simulator.observations)),
      ...leg,
      atSeconds: elapsedSeconds(),
    });
    await harvest(stage);
    account.settle(simulator.observations.list);
  }
  const page = readMetricsPage(await gateway.metricsPage());
  const { internalErrors } = stage;
  const isWarm = warmUpSeconds(seconds) > HOUR_SECONDS;
  const evidence: Evidence = {
    books: account.books,
    page,
    totals: simulator.totals(),
    checkpoints,
    isWarm,
    internalErrors,
  };
  return {
    seconds: elapsedSeconds(),
    isInterrupted: stop.aborted,
    books: account.books,
    checkpoints,
    checks: [...processChecks(evidence), ...tokenChecks(evidence), ...counterChecks(evidence)],
  };
}

interface Leg {
  readonly seconds: number;
  readonly phase: Checkpoint['phase'];
}

/**
 * Of a minute at most, so that the books stay small. The warm-up has two: the first rest of a process collects code and
 * buffers that no later one finds.
 */
function legsOf(seconds: number): Leg[] {
  const warmUp = warmUpSeconds(seconds);
  const warmUpLegs = Math.min(2, Math.ceil(warmUp / SHORTEST_LEG_SECONDS));
  const soakLegs = Math.min(12, Math.ceil(seconds / 2 / SHORTEST_LEG_SECONDS));
  return [...split(warmUp, warmUpLegs, 'warm-up'), ...split(seconds - warmUp, soakLegs, 'soak')];
}

function warmUpSeconds(seconds: number): number {
  return Math.min(Math.max(WARM_UP.share * seconds, WARM_UP.atLeastSeconds), WARM_UP.atMostShare * seconds);
}

function split(seconds: number, atLeast: number, phase: Checkpoint['phase']): Leg[] {
  const legs = Math.max(atLeast, Math.ceil(seconds / LONGEST_LEG_SECONDS));
  return Array.from({ length: legs }, () => ({ seconds: seconds / legs, phase }));
}

/** Under load: the books are kept up and progress is told. */
async function runLeg(stage: Stage, legMs: number, stop: AbortSignal, onProgress: () => void): Promise<void> {
  const endMs = systemClock.nowMs() + legMs;
  while (systemClock.nowMs() < endMs && !stop.aborted) {
    await sleep(Math.min(HARVEST_MS, Math.max(0, endMs - systemClock.nowMs())));
    await harvest(stage);
    onProgress();
  }
}

async function harvest({ simulator, gateway, account, internalErrors }: Stage): Promise<void> {
  account.onObservations(simulator.observations.list);
  const { records, internalErrors: met } = await gateway.ask('records');
  account.onRecords(records);
  internalErrors.push(...met.slice(0, Math.max(0, ERRORS_KEPT - internalErrors.length)));
}
