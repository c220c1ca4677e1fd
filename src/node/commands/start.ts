import { unwatchFile, watchFile } from 'node:fs';
import type { Logger } from 'pino';
import type { Config, ConfigResult } from '../../config/config.ts';
import { renderProblems } from '../../config/render-problems.ts';
import { settingsNeedingRestart } from '../../config/restart-settings.ts';
import { createGateway, type Gateway } from '../gateway.ts';
import { loadSettings, settingsPath } from '../load-settings.ts';
import { createLog, logRecord } from '../log.ts';
import { serveApp, type HttpServer } from '../serve.ts';
import { systemClock } from '../system-clock.ts';

/** How often a settings file is looked at for changes; polling also sees a swapped Kubernetes config map. */
const WATCH_INTERVAL_MS = 2_000;

/** `slipstream start`: the gateway until SIGTERM or SIGINT. Resolves with the exit code. */
export async function start(options: { readonly config?: string | undefined }): Promise<number> {
  const path = settingsPath(options.config, process.env);
  const settings = loadSettings(path, process.env);
  if (settings.kind === 'invalid') {
    process.stderr.write(`${renderProblems(settings.problems)}\n`);
    return 1;
  }
  if (settings.notices.length > 0) process.stderr.write(`${renderProblems(settings.notices)}\n`);
  const { config, secrets } = settings;
  const log = createLog();
  const gateway = createGateway({
    config,
    secrets,
    clock: systemClock,
    onRecord: (record) => logRecord(log, record),
    onInternalError: (error, requestId) => log.error({ id: requestId, error: describe(error) }, 'internal error'),
  });
  const server = await serveApp(gateway.app, {
    ...config.listen,
    headersTimeoutMs: config.limits.headersTimeoutMs,
    bodyBytes: config.limits.bodyBytes,
  });
  // Who reads the announcement may send a signal at once: without a listener it would end the process.
  const stopped = stopSignal();
  const stopReloading = reloadOnChange(path, config, gateway, log);
  announce(config, server, path);
  await stopped;
  stopReloading();
  return drain(gateway, server, config.limits.drainMs, log);
}

function announce(config: Config, server: HttpServer, path: string | null): void {
  const host = server.host.includes(':') ? `[${server.host}]` : server.host;
  const upstreams = config.upstreams.map(({ id, baseUrl }) => `${id} (${baseUrl})`).join(', ');
  const who = config.mode === 'managed' ? `${config.tenants.length} tenants` : "pass-through: callers' own keys";
  process.stderr.write(
    `Slipstream listens on http://${host}:${server.port} for ${upstreams}; ${who}; settings: ${path ?? 'none (defaults)'}\n`,
  );
}

/** Tenants and limits follow the file; what needs a restart, or is invalid, changes nothing and says so. */
function reloadOnChange(path: string | null, started: Config, gateway: Gateway, log: Logger): () => void {
  const reload = (): void => {
    const next: ConfigResult = loadSettings(path, process.env);
    if (next.kind === 'invalid') {
      log.error({ problems: next.problems }, 'settings unchanged: the file has problems');
      return;
    }
    const needRestart = settingsNeedingRestart(started, next.config);
    if (needRestart.length > 0) log.warn({ settings: needRestart }, 'changed, but read at the start only');
    gateway.reload(next.config, next.secrets);
    log.info({ tenants: next.config.tenants.length }, 'settings reloaded');
  };
  process.on('SIGHUP', reload);
  if (path !== null) watchFile(path, { interval: WATCH_INTERVAL_MS, persistent: false }, reload);
  return () => {
    process.off('SIGHUP', reload);
    if (path !== null) unwatchFile(path, reload);
  };
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
}

/** Not ready, refuse what is new, let open answers finish up to the deadline, then cut. A second signal cuts at once. */
async function drain(gateway: Gateway, server: HttpServer, drainMs: number, log: Logger): Promise<number> {
  log.info({ drainMs }, 'draining');
  gateway.startDraining();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0));
  const { cutConnections } = await server.close(drainMs);
  await gateway.close();
  log.info({ cutConnections }, 'stopped');
  log.flush();
  return 0;
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
