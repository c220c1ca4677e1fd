import { parseConfig } from '../../src/config/parse-config.ts';
import type { Clock } from '../../src/core/clock.ts';
import { createGateway, sha256Hex } from '../../src/node/gateway.ts';
import { serveApp } from '../../src/node/serve.ts';
import type { ExchangeRecord } from '../../src/pipeline/exchange-record.ts';
import type { StateEngine } from '../../src/state/engine.ts';
import type { RunningGateway } from './running-gateway.ts';

/** The gateway in the test's own process, on a free port, and all that it reports. */
const CLOSE_DEADLINE_MS = 10_000;

export async function startGateway(settings: string, clock: Clock, engine?: StateEngine) {
  const { config, secrets } = parseSettings(settings);
  const records: ExchangeRecord[] = [];
  const internalErrors: unknown[] = [];
  const gateway = createGateway({
    config,
    secrets,
    clock,
    ...(engine && { engine }),
    onRecord: (record) => records.push(record),
    onInternalError: (error) => internalErrors.push(error),
  });
  const { headersTimeoutMs, bodyBytes } = config.limits;
  const server = await serveApp(gateway.app, {
    host: '127.0.0.1',
    port: 0,
    headersTimeoutMs,
    bodyBytes,
  });
  return { gateway, server, records, internalErrors };
}

export function startOnNode(settings: string, clock: Clock): Promise<RunningGateway> {
  return runGateway(settings, clock);
}

/** @param engine the memory of the process where it is left out. */
export async function runGateway(settings: string, clock: Clock, engine?: StateEngine): Promise<RunningGateway> {
  const { gateway, server, records, internalErrors } = await startGateway(settings, clock, engine);
  return {
    port: server.port,
    records,
    internalErrors,
    metricsPage: async () => (await gateway.metrics.page('')).text,
    tenantSlots: async () => gateway.engine.slots.counts(),
    upstreamSlots: async () => gateway.engine.capacity.counts(),
    comeToRest: async () => {},
    ownGuards: {
      'no exchange is open': () => gateway.openExchanges === 0,
      'the console lists none': () => gateway.liveExchanges === 0,
    },
    inProcess: { gateway, server },
    async close() {
      const closed = await server.close(CLOSE_DEADLINE_MS);
      await gateway.close();
      return closed;
    },
  };
}

export function parseSettings(text: string) {
  const result = parseConfig(text, {}, { sha256Hex });
  if (result.kind === 'invalid') throw new Error(JSON.stringify(result.problems));
  return result;
}
