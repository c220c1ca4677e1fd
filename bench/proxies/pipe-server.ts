// A bare pipe between two node:http messages, with keep-alive to the upstream. It reads, checks and counts nothing; a caller
// that hangs up ends the upstream call. Arguments: its own port, the upstream's port.

import http from 'node:http';

const [port, upstreamPort] = process.argv.slice(2).map(Number);
const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: 1024 });

http
  .createServer((incoming, outgoing) => {
    const headers = { ...incoming.headers, host: `127.0.0.1:${upstreamPort}` };
    delete headers.connection;
    const call = http.request(
      { host: '127.0.0.1', port: upstreamPort, method: incoming.method, path: incoming.url, headers, agent },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.on('error', () => outgoing.destroy());
        answer.pipe(outgoing);
      },
    );
    call.on('error', () => outgoing.destroy());
    outgoing.on('close', () => outgoing.writableFinished || call.destroy());
    incoming.pipe(call);
  })
  .listen(port, '127.0.0.1', 4096);
