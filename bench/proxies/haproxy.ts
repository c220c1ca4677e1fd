// HAProxy, one thread, connections to the upstream shared. `http-no-delay` is what lets an event through at once.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { freePort, isOnPath, startChild, temporaryFolder, waitForPort } from '../child.ts';
import { openFilesLimit } from '../machine.ts';
import { CALLER_HEADERS } from './proxy.ts';
import type { Proxy } from './proxy.ts';

export const haproxy: Proxy = {
  name: 'haproxy',
  title: 'haproxy (1 thread)',
  presence: () =>
    isOnPath('haproxy') ? { kind: 'present' } : { kind: 'missing', howToInstall: 'apt-get install -y haproxy' },
  start: async (place) => {
    const port = await freePort();
    const file = join(temporaryFolder(), `haproxy-${port}.cfg`);
    writeFileSync(file, configuration(port, place.upstreamPort));
    const child = startChild({
      label: 'haproxy',
      command: 'haproxy',
      args: ['-db', '-f', file],
      env: { PATH: `${process.env['PATH']}:/usr/sbin:/usr/local/sbin` },
      core: place.core,
    });
    await waitForPort(child, port);
    return { name: 'haproxy', port, pid: child.pid, headers: CALLER_HEADERS, child };
  },
};

function configuration(port: number, upstreamPort: number): string {
  return `
global
  nbthread 1
  maxconn ${Math.floor(openFilesLimit() / 2) - 100}
defaults
  mode http
  option http-no-delay
  http-reuse always
  timeout connect 5s
  timeout client 300s
  timeout server 300s
frontend bench
  bind 127.0.0.1:${port} backlog 4096
  default_backend mock
backend mock
  server mock 127.0.0.1:${upstreamPort} pool-max-conn 1024
`;
}
