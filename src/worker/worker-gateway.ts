import { waitUntil } from 'cloudflare:workers';
import type { ConfigResult, Problem } from '../config/config.ts';
import { defaultConfig, parseConfig } from '../config/parse-config.ts';
import { composeGateway, type Gateway, type Platform } from '../gateway/compose-gateway.ts';
import { consoleAssets } from './console/console-assets.ts';
import { createIsolateConsole } from './console/console-of-isolate.ts';
import { createDurableEngine } from './engine/durable-engine.ts';
import { consoleHubOf, metricsHubsOf, remotesOf, textBindings, type WorkerEnvironment } from './environment.ts';
import { createFetchTransport } from './fetch-transport.ts';
import { logBreaker, logInternalError, logProblems, logRecord } from './log.ts';
import { createIsolateMetrics } from './metrics/metrics-of-isolate.ts';
import { sha256Hex } from './sha256.ts';
import { isUtf8 } from './utf8.ts';
import { workerClock } from './worker-clock.ts';
import { createWorkerExchange } from './worker-exchange.ts';

/**
 * The gateway of one isolate. It is shared by the isolate's requests, so nothing in it may be waited for by more than one:
 * what it holds is settings, counters and what traffic taught about prompts.
 */
export type WorkerGateway =
  { readonly kind: 'ready'; readonly gateway: Gateway } | { /** The log says why. */ readonly kind: 'misconfigured' };

export function createWorkerGateway(environment: WorkerEnvironment): WorkerGateway {
  const settings = settingsOf(environment);
  if (settings.kind === 'invalid') {
    logProblems(settings.problems);
    return { kind: 'misconfigured' };
  }
  const notices = [...settings.notices, ...(settings.secrets.metricsToken === null ? [OPEN_METRICS] : [])];
  if (notices.length > 0) logProblems(notices);
  const gateway = composeGateway({
    config: settings.config,
    secrets: settings.secrets,
    platform: platformOf(environment, settings.config.console.enabled && settings.secrets.consoleToken !== null),
    onRecord: logRecord,
    onInternalError: logInternalError,
    onBreaker: logBreaker,
  });
  return { kind: 'ready', gateway };
}

/** Every path of a Worker is public. */
const OPEN_METRICS: Problem = {
  path: 'metrics.token',
  message: 'is not set: everybody can read /metrics, which names tenants and what they spend',
  mend: 'set it, or put Cloudflare Access before /metrics',
};

function settingsOf(environment: WorkerEnvironment): ConfigResult {
  const bindings = textBindings(environment);
  const text = environment.SLIPSTREAM_CONFIG;
  return text === undefined ? defaultConfig(bindings) : parseConfig(text, bindings, { sha256Hex });
}

/** Of prompts: 13 MB of the 128 that an isolate has. */
const MAX_POSITIONS = 100_000;

function platformOf(environment: WorkerEnvironment, isConsoleOn: boolean): Platform {
  const clock = workerClock;
  const remotes = remotesOf(environment);
  const newName = (): string => crypto.randomUUID();
  const engine = createDurableEngine({ clock, remotes, waitUntil, newName });
  const hub = metricsHubsOf(environment);
  const consoleHub = consoleHubOf(environment);
  const console = createIsolateConsole({ clock, isOn: isConsoleOn, hub: consoleHub, waitUntil, newName });
  const { random } = Math;
  return {
    ...createIsolateMetrics({ clock, engine, remotes, hub, waitUntil, newName, random }),
    clock,
    createTransport: (options) => createFetchTransport({ clock, ...options }),
    exchangeOf: createWorkerExchange(clock, console.accompany),
    isUtf8,
    sha256Hex,
    random,
    maxPositions: MAX_POSITIONS,
    console: {
      create: console.create,
      assets: consoleAssets(environment),
      pace: { everyMs: 2_000, snapshots: 'each' },
    },
  };
}
