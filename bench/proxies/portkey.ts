// Portkey's open-source gateway, from bench's own package.json (which pins the @hono/node-server it can stream with).
// A call names its upstream in headers; 127.0.0.1 is among the hosts Portkey trusts as a custom one.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { freePort, startChild, waitForPort } from '../child.ts';
import { BENCH_KEY } from './proxy.ts';
import type { Proxy } from './proxy.ts';

const BENCH = fileURLToPath(new URL('..', import.meta.url));
const SERVER = join(BENCH, 'node_modules/@portkey-ai/gateway/build/start-server.js');

export const portkey: Proxy = {
  name: 'portkey',
  title: 'Portkey 1.15.2',
  presence: () =>
    existsSync(SERVER) ? { kind: 'present' } : { kind: 'missing', howToInstall: 'npm ci --prefix bench' },
  start: async (place) => {
    const port = await freePort();
    const child = startChild({
      label: 'portkey',
      command: process.execPath,
      args: [SERVER, `--port=${port}`, '--headless'],
      env: { NODE_ENV: 'production' },
      core: place.core,
    });
    await waitForPort(child, port);
    const headers = {
      authorization: `Bearer ${BENCH_KEY}`,
      'x-portkey-provider': 'anthropic',
      'x-portkey-custom-host': `http://127.0.0.1:${place.upstreamPort}/v1`,
    };
    return { name: 'portkey', port, pid: child.pid, headers, child };
  },
};
