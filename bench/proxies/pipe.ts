// p0: the least a Node proxy can do, and the unit the others are measured in.

import { fileURLToPath } from 'node:url';

import { freePort, startChild, waitForPort } from '../child.ts';
import { CALLER_HEADERS } from './proxy.ts';
import type { Proxy } from './proxy.ts';

export const pipe: Proxy = {
  name: 'pipe',
  title: 'p0: bare node:http pipe',
  presence: () => ({ kind: 'present' }),
  start: async (place) => {
    const port = await freePort();
    const server = fileURLToPath(new URL('./pipe-server.ts', import.meta.url));
    const child = startChild({
      label: 'pipe',
      command: process.execPath,
      args: [server, String(port), String(place.upstreamPort)],
      core: place.core,
    });
    await waitForPort(child, port);
    return { name: 'pipe', port, pid: child.pid, headers: CALLER_HEADERS, child };
  },
};
