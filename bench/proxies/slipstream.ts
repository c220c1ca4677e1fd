// Slipstream with everything on, started as `npm start` does: managed mode, one tenant with a key of its own, limits too high
// to make a call wait, cache planning at its default. What it logs goes to a file, and its cost is counted.

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { freePort, startChild, temporaryFolder, waitForPort } from '../child.ts';
import { BENCH_KEY, CALLER_HEADERS } from './proxy.ts';
import type { Proxy } from './proxy.ts';

const CLI = fileURLToPath(new URL('../../src/node/cli.ts', import.meta.url));

export const slipstream: Proxy = {
  name: 'slipstream',
  title: 'Slipstream',
  presence: () =>
    existsSync(CLI) ? { kind: 'present' } : { kind: 'missing', howToInstall: 'check out src/node/cli.ts' },
  start: async (place) => {
    const port = await freePort();
    const file = join(temporaryFolder(), `slipstream-${port}.yaml`);
    writeFileSync(file, configuration(port, place.upstreamPort));
    const child = startChild({
      label: 'slipstream',
      command: process.execPath,
      args: ['--initial-old-space-size=512', CLI, 'start', '--config', file],
      env: { BENCH_KEY, HOST: '127.0.0.1', PORT: String(port) },
      core: place.core,
    });
    await waitForPort(child, port);
    return { name: 'slipstream', port, pid: child.pid, headers: CALLER_HEADERS, child };
  },
};

function configuration(port: number, upstreamPort: number): string {
  return `
listen: { host: 127.0.0.1, port: ${port} }
upstreams:
  - id: mock
    protocol: anthropic
    baseUrl: http://127.0.0.1:${upstreamPort}
    apiKey: bench-upstream-key
    cacheDomain: bench
    maxConcurrency: 100000
tenants:
  - id: bench
    keys: ["\${BENCH_KEY}"]
    maxConcurrency: 100000
    upstreams: [mock]
`;
}
