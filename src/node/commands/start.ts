import type { Logger } from 'pino';
import type { Config, ConfigResult } from '../../config/config.ts';
import { renderProblems } from '../../config/render-problems.ts';
import { countBuffersAsHeap } from '../count-buffers.ts';
import { drain } from '../drain.ts';
import { engineFor } from '../engine-for.ts';
import { followSettings } from '../follow-settings.ts';
import { createGateway, type Gateway } from '../gateway.ts';
import { parseSettings, readSettings, settingsPath } from '../load-settings.ts';
import { createLog, logRecord } from '../log.ts';
import { createVoice, type Voice } from '../voice.ts';
import { serveApp, type HttpServer } from '../serve.ts';
import { stopSignals } from '../stop-signals.ts';
import { systemClock } from '../system-clock.ts';
import { startTelemetry, type Telemetry } from '../telemetry.ts';

type OkSettings = Extract<ConfigResult, { kind: 'ok' }>;

/** `slipstream start`: the gateway until SIGTERM or SIGINT, and its settings on SIGHUP. Resolves with the exit code. */
export async function start(options: { readonly config?: string | undefined }): Promise<number> {
  countBuffersAsHeap(process.versions.node);
  const path = settingsPath(options.config, process.env);
  const source = readSettings(path);
  const settings = parseSettings(source, process.env);
  if (settings.kind === 'invalid') {
    process.stderr.write(`${renderProblems(settings.problems)}\n`);
    return 1;
  }
  if (settings.notices.length > 0) process.stderr.write(`${renderProblems(settings.notices)}\n`);
  const log = createLog();
  const voice = createVoice(log, process.stderr);
  const telemetry = await startTelemetry(process.env, systemClock);
  const { gateway, server } = await open(settings, log, voice, telemetry);
  // Who reads the announcement may send a signal at once: without a listener it would end the process.
  const signals = stopSignals(process, systemClock);
  let { limits } = settings.config;
  const follower = followSettings({
    path,
    environment: process.env,
    clock: systemClock,
    started: { source, config: settings.config },
    apply({ config, secrets }) {
      gateway.reload(config, secrets);
      server.setLimits(config.limits);
      ({ limits } = config);
    },
    report: voice.settings,
  });
  process.on('SIGHUP', follower.reload);
  announce(settings.config, server, path);
  const signal = await signals.first;
  follower.stop();
  // Ctrl-C comes from somebody who waits; a balancer is told with SIGTERM.
  const noticeMs = signal === 'SIGTERM' ? limits.drainNoticeMs : 0;
  const { drainMs } = limits;
  await drain({ gateway, server, clock: systemClock, drainMs, noticeMs, hurry: signals.second, report: voice.drain });
  await close(gateway, telemetry, log);
  return 0;
}

async function open(
  { config, secrets }: OkSettings,
  log: Logger,
  voice: Voice,
  telemetry: Telemetry | null,
): Promise<{ gateway: Gateway; server: HttpServer }> {
  const gateway = createGateway({
    config,
    secrets,
    clock: systemClock,
    engine: await engineFor({
      stateUrl: secrets.stateUrl,
      stateKey: process.env['SLIPSTREAM_STATE_KEY'] ?? null,
      keyPrefix: process.env['SLIPSTREAM_STATE_PREFIX'] ?? null,
      secrets,
      clock: systemClock,
      onHealth: voice.state,
    }),
    onRecord(record) {
      logRecord(log, record);
      telemetry?.record(record);
    },
    onBreaker: voice.upstream,
    onInternalError: (error, requestId) => log.error({ id: requestId, error: describe(error) }, 'internal error'),
  });
  const { headersTimeoutMs, bodyBytes } = config.limits;
  return { gateway, server: await serveApp(gateway.app, { ...config.listen, headersTimeoutMs, bodyBytes }) };
}

function announce(config: Config, server: HttpServer, path: string | null): void {
  const host = server.host.includes(':') ? `[${server.host}]` : server.host;
  const upstreams = config.upstreams.map(({ id, baseUrl }) => `${id} (${baseUrl})`).join(', ');
  const address = `http://${host}:${server.port}`;
  const who =
    config.mode === 'managed'
      ? `${config.tenants.length} ${config.tenants.length === 1 ? 'tenant' : 'tenants'}`
      : "pass-through: callers' own keys";
  process.stderr.write(
    `Slipstream listens on ${address} for ${upstreams}; ${who}; settings: ${path ?? 'none (defaults)'}\n` +
      `console: ${config.console.enabled ? `${address}/console, opens with console.token` : CONSOLE_OFF}\n`,
  );
}

const CONSOLE_OFF = 'off; console: { token: ${CONSOLE_TOKEN} } in the settings switches it on';

/** The work is done: nothing that hangs may keep the process from ending, and ending well. */
async function close(gateway: Gateway, telemetry: Telemetry | null, log: Logger): Promise<void> {
  const late = setTimeout(() => process.exit(0), CLOSE_MS);
  await gateway.close();
  await telemetry?.close();
  log.flush();
  late.unref();
}

const CLOSE_MS = 1_000;

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
