import { serveSimulator } from '../../src/node/demo/serve-simulator.ts';
import { systemClock } from '../../src/node/system-clock.ts';
import type { Clock } from '../../src/core/clock.ts';
import type { ExchangeRecord } from '../../src/pipeline/exchange-record.ts';
import type { Observation } from '../../src/simulator/observe/observations.ts';
import type { SimulatorOptions } from '../../src/simulator/settings.ts';
import { createSimulator, type Simulator } from '../../src/simulator/simulator.ts';
import { eventually } from './eventually.ts';
import { managed, UPSTREAM_KEY, useCleanedUp } from './gateway-under-test.ts';
import { readMetrics, type MetricSamples } from './metric-samples.ts';
import { startRunningGateway, type RunningGateway, type SlotCounts } from './running-gateway.ts';

/**
 * A gateway on real sockets in front of the Claude simulator, for clients that are somebody else's code. The simulator
 * knows the gateway's upstream key and one caller's own key, each of a workspace of its own, and refuses every other:
 * a gateway key that leaks upstream is a 401. After each test nothing may be left open on either side.
 */
export interface SimulatorStage {
  readonly simulator: Simulator;
  /** Tenants that hold a slot or wait for one. */
  slots(): Promise<SlotCounts>;
  /** The gateway's address, without `/v1`. */
  readonly baseUrl: string;
  /** Waits for the record of the exchange with this index, counted from 0. */
  record(index: number): Promise<ExchangeRecord>;
  /** The calls that have reached the simulator, oldest first. */
  readonly seen: readonly Observation[];
  /** The last of them. */
  newest(): Observation;
  /** Waits until the last call has ended at the simulator, and says how. */
  ended(): Promise<Observation>;
  metrics(): Promise<MetricSamples>;
}

export interface SimulatorStageOptions {
  readonly settings?: (upstreamUrl: string) => string;
  readonly simulator?: Partial<SimulatorOptions>;
  /** The gateway's and the simulator's. */
  readonly clock?: Clock;
}

/** A key of the API itself, as callers have one in pass-through mode. */
export const CALLER_KEY = 'claude-key-of-a-caller';
export const GATEWAY_WORKSPACE = 'wrkspc_01OfTheGateway';
export const CALLER_WORKSPACE = 'wrkspc_01OfTheCaller';

const DEADLINE_MS = 10_000;

/** Call once per test file; each test then starts what it needs, and the guard sees to the rest. */
export function useSimulatorStage(): (options?: SimulatorStageOptions) => Promise<SimulatorStage> {
  const start = useCleanedUp(startStage);
  return (options = {}) => start(options);
}

async function startStage({
  settings = managed(),
  simulator: simulatorOptions = {},
  clock = systemClock,
}: SimulatorStageOptions) {
  const workspaces = { [UPSTREAM_KEY]: GATEWAY_WORKSPACE, [CALLER_KEY]: CALLER_WORKSPACE };
  const simulator = createSimulator({ clock, workspaces, ...simulatorOptions });
  const upstream = await serveSimulator((request) => simulator.fetch(request), 0);
  const running = await startRunningGateway(settings(upstream.baseUrl), clock);
  const newest = (): Observation => {
    const observation = simulator.observations.list.at(-1);
    if (!observation) throw new Error('nothing has reached the simulator');
    return observation;
  };
  const stage: SimulatorStage = {
    simulator,
    slots: running.tenantSlots,
    baseUrl: `http://127.0.0.1:${running.port}`,
    async record(index) {
      await eventually(`exchange ${index} is recorded`, DEADLINE_MS, () => running.records.length > index);
      return running.records[index] as ExchangeRecord;
    },
    seen: simulator.observations.list,
    newest,
    async ended() {
      await eventually('the call ends at the simulator', DEADLINE_MS, () => newest().outcome !== 'open');
      return newest();
    },
    metrics: async () => readMetrics(await running.metricsPage()),
  };
  const cleanUp = async (): Promise<void> => {
    try {
      await expectNothingLeft(stage, running);
    } finally {
      await upstream.close();
    }
  };
  return { stage, cleanUp };
}

async function expectNothingLeft(stage: SimulatorStage, running: RunningGateway) {
  const left = await nothingLeft(stage, running).then(
    () => null,
    (error: Error) => error,
  );
  const { internalErrors } = running;
  const { cutConnections } = await running.close();
  if (left) throw left;
  if (internalErrors.length > 0) throw new Error(`internal errors: ${internalErrors.join('; ')}`);
  if (cutConnections > 0) throw new Error(`${cutConnections} connections of clients that were done are still open`);
}

async function nothingLeft({ slots, simulator }: SimulatorStage, { ownGuards }: RunningGateway): Promise<void> {
  for (const [label, isSo] of Object.entries(ownGuards)) await eventually(label, DEADLINE_MS, isSo);
  await eventually('every slot is free and nobody waits', DEADLINE_MS, async () => (await slots()).size === 0);
  await eventually('the simulator streams nothing', DEADLINE_MS, () => simulator.observations.openStreams === 0);
  await eventually('the simulator works on nothing', DEADLINE_MS, () => simulator.observations.openRequests === 0);
}
