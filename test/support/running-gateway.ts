import type { Clock } from '../../src/core/clock.ts';
import type { Gateway } from '../../src/node/gateway.ts';
import type { HttpServer } from '../../src/node/serve.ts';
import type { ExchangeRecord } from '../../src/pipeline/exchange-record.ts';
import type { SlotCount } from '../../src/state/slots.ts';
import { startOnNode } from './gateway-on-node.ts';
import { startOnRedis } from './gateway-on-redis.ts';
import { startOnWorkerd } from './gateway-on-workerd.ts';

/** A gateway as tests see it from outside, whatever runtime it is in. */
export interface RunningGateway {
  readonly port: number;
  /** Oldest first, as they are at the moment of asking. */
  readonly records: readonly ExchangeRecord[];
  /** Bugs that the gateway told its operator of. */
  readonly internalErrors: readonly unknown[];
  metricsPage(): Promise<string>;
  /** The tenants that hold a slot or wait for one. */
  tenantSlots(): Promise<SlotCounts>;
  upstreamSlots(): Promise<SlotCounts>;
  /** Lets pass what the runtime does by itself a moment after its last exchange. */
  comeToRest(): Promise<void>;
  /** What must hold besides, once nothing runs. */
  readonly ownGuards: Readonly<Record<string, () => boolean>>;
  /** The gateway itself. Only a test that is left out on other runtimes may look at it. */
  readonly inProcess: InProcess;
  /** @returns connections that were still open and had to be cut. */
  close(): Promise<{ readonly cutConnections: number }>;
}

export type SlotCounts = ReadonlyMap<string, SlotCount>;

export interface InProcess {
  readonly gateway: Gateway;
  readonly server: HttpServer;
}

/** The same tests run on every runtime; the vitest project that runs them says on which. */
const RUNTIMES = {
  node: startOnNode,
  workerd: startOnWorkerd,
  redis: startOnRedis,
};

export function startRunningGateway(settings: string, clock: Clock): Promise<RunningGateway> {
  const name = process.env['GATEWAY_RUNTIME'] ?? 'node';
  if (!Object.hasOwn(RUNTIMES, name)) throw new Error(`GATEWAY_RUNTIME is none of ours: ${name}`);
  return RUNTIMES[name as keyof typeof RUNTIMES](settings, clock);
}
