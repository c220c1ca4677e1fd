import { parseConfig } from '../../src/config/parse-config.ts';
import { createAdaptiveLimit } from '../../src/core/limits/adaptive-limit.ts';
import { createGateway, sha256Hex } from '../../src/node/gateway.ts';
import { serveApp } from '../../src/node/serve.ts';
import { systemClock } from '../../src/node/system-clock.ts';
import { createRedisEngine } from '../../src/redis/redis-engine.ts';

/**
 * One replica as a process, to be killed: a gateway on a free port, with its state in the Redis of its first argument, the
 * settings of its second, and leases of its third. Prints its port when it has reached Redis; ends by itself on SIGTERM
 * when nothing is left that keeps a process alive.
 */
const [, , url = '', settings = '', leaseMs = ''] = process.argv;
const parsed = parseConfig(settings, {}, { sha256Hex });
if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems));
const engine = createRedisEngine({
  url,
  clock: systemClock,
  hmacKey: 'a key that is not in Redis',
  createLimit: createAdaptiveLimit,
  leaseMs: Number(leaseMs),
  slowMs: 2_000, // a starved machine is no slow Redis
});
await engine.started;
const gateway = createGateway({
  config: parsed.config,
  secrets: parsed.secrets,
  clock: systemClock,
  engine,
  onRecord: () => {},
  onInternalError: (error) => console.error(error),
});
const { headersTimeoutMs, bodyBytes } = parsed.config.limits;
const server = await serveApp(gateway.app, { host: '127.0.0.1', port: 0, headersTimeoutMs, bodyBytes });
console.log(`port ${server.port}`);
process.once('SIGTERM', () => void server.close(1_000).then(() => gateway.close()));
