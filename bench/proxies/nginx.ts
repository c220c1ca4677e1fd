// nginx as a plain reverse proxy: one worker, nothing buffered, connections to the upstream kept.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { freePort, isOnPath, startChild, temporaryFolder, waitForPort } from '../child.ts';
import { openFilesLimit } from '../machine.ts';
import { CALLER_HEADERS } from './proxy.ts';
import type { Proxy } from './proxy.ts';

export const nginx: Proxy = {
  name: 'nginx',
  title: 'nginx (1 worker, unbuffered)',
  presence: () =>
    isOnPath('nginx') ? { kind: 'present' } : { kind: 'missing', howToInstall: 'apt-get install -y nginx-light' },
  start: async (place) => {
    const port = await freePort();
    const prefix = join(temporaryFolder(), `nginx-${port}`);
    mkdirSync(prefix, { recursive: true });
    writeFileSync(join(prefix, 'nginx.conf'), configuration(port, place.upstreamPort));
    const child = startChild({
      label: 'nginx',
      command: 'nginx',
      args: ['-p', prefix, '-c', 'nginx.conf', '-e', 'stderr'],
      env: { PATH: `${process.env['PATH']}:/usr/sbin:/usr/local/sbin` },
      core: place.core,
    });
    await waitForPort(child, port);
    return { name: 'nginx', port, pid: child.pid, headers: CALLER_HEADERS, child };
  },
};

// The temporary paths stay inside the prefix: the packaged ones need root.
function configuration(port: number, upstreamPort: number): string {
  return `
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr warn;
events { worker_connections ${openFilesLimit() - 100}; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  client_max_body_size 64m;
  keepalive_requests 10000000;
  tcp_nodelay on;
  upstream mock {
    server 127.0.0.1:${upstreamPort};
    keepalive 1024;
    keepalive_requests 10000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://mock;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_request_buffering off;
      proxy_buffering off;
      proxy_read_timeout 300s;
    }
  }
}
`;
}
