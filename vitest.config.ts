import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';
import { hasRedisServer } from './test/support/redis-server.ts';

// Nothing of wrangler asks the internet for updates or reports what it is used for.
Object.assign(process.env, {
  WRANGLER_SEND_METRICS: 'false',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  WRANGLER_HIDE_BANNER: 'true',
});

/** What the gateway promises is one set of tests; each project runs it on another engine. */
const PROMISES = ['test/gateway/**/*.test.ts'];
/** Starts none. */
const NO_GATEWAY = ['test/gateway/metrics-docs.test.ts'];

const redis = {
  extends: true as const,
  test: {
    name: 'redis',
    include: PROMISES,
    exclude: NO_GATEWAY,
    env: { GATEWAY_RUNTIME: 'redis' },
    globalSetup: ['./test/redis/one-server.ts'],
    setupFiles: ['./test/redis/leave-out-gaps.ts'],
  },
};

export default defineConfig({
  test: {
    // Most of a test's time is waiting for sockets.
    maxWorkers: 3,
    // Bounds for what hangs, on a machine with ten times as much to do as it can.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // On exit they speak in this order: the closing line is the last.
    reporters: ['default', './test/faults/case-count.ts', './test/support/closing-line.ts'],
    projects: [
      { extends: true, test: { name: 'node', include: ['test/**/*.test.ts'] } },
      {
        // Durable Objects are tested where they live.
        extends: true,
        plugins: [cloudflareTest({ wrangler: { configPath: './wrangler.toml' } })],
        test: { name: 'objects', include: ['test/**/*.inside.ts'] },
      },
      {
        extends: true,
        test: {
          name: 'workerd',
          include: PROMISES,
          exclude: NO_GATEWAY,
          env: { GATEWAY_RUNTIME: 'workerd' },
          setupFiles: ['./test/worker/leave-out-gaps.ts'],
        },
      },
      ...(hasRedisServer ? [redis] : []),
    ],
  },
});
