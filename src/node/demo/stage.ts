import { randomBytes } from 'node:crypto';
import { parseConfig } from '../../config/parse-config.ts';
import { renderProblems } from '../../config/render-problems.ts';
import { DEFAULT_TIMING } from '../../simulator/settings.ts';
import { createSimulator } from '../../simulator/simulator.ts';
import { createGateway, sha256Hex, type Gateway } from '../gateway.ts';
import { serveApp } from '../serve.ts';
import { systemClock } from '../system-clock.ts';
import { listenNear } from './listen-near.ts';
import type { Reading } from './live-table.ts';
import { createRetryWatch } from './retry-watch.ts';
import { demoSettings, SAMPLE_TENANTS } from './sample-tenants.ts';
import { serveSimulator, type SimulatorServer } from './serve-simulator.ts';
import type { TenantResult } from './summary.ts';
import { createTally, type Tally } from './tally.ts';
import { startTraffic } from './traffic.ts';

/**
 * Simulator, gateway and sample apps, started in this order and stopped in the other. The gateway is the one that
 * `slipstream start` makes, from settings that went through the same parser.
 */
export interface Stage {
  readonly gatewayPort: number;
  readonly gatewayUrl: string;
  readonly simulatorUrl: string;
  /** Opens the console for as long as this runs. */
  readonly consoleToken: string;
  /** What is to be seen of each tenant now. */
  readings(): Promise<Reading[]>;
  /** Within two seconds: answers get half of that to end, then they are cut. Nothing is left running. */
  close(): Promise<{ readonly tenants: TenantResult[]; readonly failures: readonly string[] }>;
}

const SEED = 20_261_122;
const SIMULATOR_PORT = 8788;
/** The simulator's log is for tests; here it would only take memory. */
const KEEP_NOTHING = { calls: 1, bodyBytes: 0 };
const FINISH_MS = 1_000;
const SETTLE_MS = 300;
const CLOSE_MS = 300;

export async function startStage(wantedPort: number): Promise<Stage> {
  const failures: string[] = [];
  const onFailure = (where: string, error: unknown): void => void failures.push(`${where}: ${describe(error)}`);
  const retries = createRetryWatch();
  const tally = createTally();
  const simulator = createSimulator({ clock: systemClock, seed: SEED, timing: DEFAULT_TIMING, keep: KEEP_NOTHING });
  const upstream = await listenNear(wantedPort === 0 ? 0 : SIMULATOR_PORT, (port) =>
    serveSimulator(retries.watching(simulator.fetch), port),
  );
  const consoleToken = randomBytes(16).toString('base64url');
  const { gateway, server, host } = await startGateway({ upstream, wantedPort, consoleToken, tally, onFailure });
  const gatewayUrl = `http://${host}:${server.port}`;
  const traffic = startTraffic({ clock: systemClock, baseUrl: gatewayUrl, retries, onFailure });

  return {
    gatewayPort: server.port,
    gatewayUrl,
    simulatorUrl: upstream.baseUrl,
    consoleToken,
    async readings() {
      const openStreams = openStreamsOf((await gateway.metrics.page('')).text);
      const slots = gateway.engine.slots.counts();
      return SAMPLE_TENANTS.map(({ id, traffic }) => ({
        tenant: id,
        traffic,
        openStreams: openStreams.get(id) ?? 0,
        waiting: slots.get(id)?.waiting ?? 0,
        retries: retries.retriesOf(id),
        figures: tally.of(id),
      }));
    },
    async close() {
      traffic.stop();
      await withinMs(FINISH_MS, traffic.finished);
      traffic.cut();
      await traffic.finished;
      gateway.startDraining();
      await slotsFree(gateway);
      await server.close(CLOSE_MS);
      await gateway.close();
      await upstream.close();
      const tenants = SAMPLE_TENANTS.map(({ id }) => {
        return { tenant: id, retries: retries.retriesOf(id), figures: tally.of(id) };
      });
      return { tenants, failures };
    },
  };
}

interface GatewayParts {
  readonly upstream: SimulatorServer;
  readonly wantedPort: number;
  readonly consoleToken: string;
  readonly tally: Tally;
  readonly onFailure: (where: string, error: unknown) => void;
}

async function startGateway({ upstream, wantedPort, consoleToken, tally, onFailure }: GatewayParts) {
  try {
    const settings = parseConfig(demoSettings(upstream.baseUrl, consoleToken), {}, { sha256Hex });
    if (settings.kind === 'invalid') throw new Error(renderProblems(settings.problems));
    const { config, secrets } = settings;
    const { host } = config.listen;
    const { headersTimeoutMs, bodyBytes } = config.limits;
    const gateway = createGateway({
      config,
      secrets,
      clock: systemClock,
      onRecord: (record) => tally.record(record),
      onInternalError: (error) => onFailure('gateway', error),
    });
    const server = await listenNear(wantedPort, (port) =>
      serveApp(gateway.app, { host, port, headersTimeoutMs, bodyBytes }),
    );
    return { gateway, server, host };
  } catch (error) {
    await upstream.close(); // else it would keep the process alive
    throw error;
  }
}

/** The gauge as an operator's scraper reads it. */
function openStreamsOf(page: string): Map<string, number> {
  const series = page.matchAll(/^slipstream_open_streams\{tenant="([^"]+)"\} (\S+)$/gm);
  return new Map([...series].map(([, tenant = '', value]) => [tenant, Number(value)]));
}

/** A caller that went away frees its slot a moment later; its record is written then. */
async function slotsFree(gateway: Gateway): Promise<void> {
  const untilMs = systemClock.nowMs() + SETTLE_MS;
  while (gateway.engine.slots.counts().size > 0 && systemClock.nowMs() < untilMs) {
    await new Promise<void>((resolve) => systemClock.after(10, resolve));
  }
}

async function withinMs(limitMs: number, work: Promise<void>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const cancel = systemClock.after(limitMs, resolve);
  await Promise.race([work, late]);
  cancel();
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
