// The Claude-shaped mock in front of which every proxy stands: a process of its own, raw sockets, canned answers. The mode
// is set by the runner and not read from the request, so that the mock parses nothing and a proxy may reorder the body.
// Modes: json · sse (50 events, one per pace tick) · sse-burst (all in one write) · hold (one stamped event a second for ever;
// in this mode a body over 64 KB gets the JSON answer, so that a burst of large calls can run beside open streams).

import net from 'node:net';

import { JSON_ANSWER, OPENING_EVENTS, SSE_ANSWER, SSE_EVENTS, nowUs, stampedEvent } from './answers.ts';
import type { Shape } from './cells.ts';
import { MessageReader } from './http-reader.ts';
import { serveRunner } from './worker-side.ts';

export type MockMode = Shape | 'hold';

export type MockQuestion =
  { readonly kind: 'listen'; readonly paceMs: number } | { readonly kind: 'mode'; readonly mode: MockMode };

export interface MockAnswer {
  readonly port: number;
}

const HOLD_TICK_MS = 10;
const HOLD_TICKS = 100;
const BURST_BODY_BYTES = 64 * 1024;

const COMMON_HEADERS = 'request-id: req_011BenchBenchBenchBenchBe\r\nanthropic-organization-id: bench\r\n\r\n';
const JSON_RESPONSE = Buffer.concat([
  Buffer.from(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${JSON_ANSWER.length}\r\n${COMMON_HEADERS}`,
  ),
  JSON_ANSWER,
]);
const STREAM_HEAD = Buffer.from(
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n' +
    `transfer-encoding: chunked\r\n${COMMON_HEADERS}`,
);
const LAST_CHUNK = Buffer.from('0\r\n\r\n');
const OPENING_RESPONSE = Buffer.concat([STREAM_HEAD, chunk(OPENING_EVENTS)]);
const BURST_RESPONSE = Buffer.concat([STREAM_HEAD, chunk(SSE_ANSWER), LAST_CHUNK]);
const EVENT_CHUNKS = SSE_EVENTS.map(chunk);
const FIRST_EVENT = Buffer.concat([STREAM_HEAD, EVENT_CHUNKS[0] ?? LAST_CHUNK]);
const LAST_EVENT = Buffer.concat([EVENT_CHUNKS.at(-1) ?? LAST_CHUNK, LAST_CHUNK]);

let mode: MockMode = 'json';
let port = 0;
let nextHeldSlot = 0;
const paced = new Map<net.Socket, number>();
const held: Array<Set<net.Socket>> = Array.from({ length: HOLD_TICKS }, () => new Set());

serveRunner<MockQuestion, MockAnswer>(async (question) => {
  if (question.kind === 'listen') port = await listen(question.paceMs);
  else mode = question.mode;
  return { port };
});

function listen(paceMs: number): Promise<number> {
  const server = net.createServer({ noDelay: true }, accept);
  setInterval(sendPacedEvents, paceMs);
  startHoldClock();
  return new Promise((resolve) => {
    server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
      resolve((server.address() as net.AddressInfo).port);
    });
  });
}

function accept(socket: net.Socket): void {
  let bodyBytes = 0;
  const reader = new MessageReader({
    onHead: () => (bodyBytes = 0),
    onBody: (part) => (bodyBytes += part.length),
    onEnd: () => answer(socket, bodyBytes),
  });
  socket.on('data', (bytes) => reader.push(bytes));
  socket.on('error', () => socket.destroy());
  socket.on('close', () => forget(socket));
}

function answer(socket: net.Socket, bodyBytes: number): void {
  switch (mode) {
    case 'json':
      socket.write(JSON_RESPONSE);
      return;
    case 'sse':
      socket.write(FIRST_EVENT);
      paced.set(socket, 1);
      return;
    case 'sse-burst':
      socket.write(BURST_RESPONSE);
      return;
    case 'hold':
      if (bodyBytes > BURST_BODY_BYTES) socket.write(JSON_RESPONSE);
      else hold(socket);
  }
}

function sendPacedEvents(): void {
  for (const [socket, index] of paced) {
    const isLast = index === EVENT_CHUNKS.length - 1;
    socket.write(isLast ? LAST_EVENT : (EVENT_CHUNKS[index] ?? LAST_CHUNK));
    if (isLast) paced.delete(socket);
    else paced.set(socket, index + 1);
  }
}

function hold(socket: net.Socket): void {
  socket.write(OPENING_RESPONSE);
  held[nextHeldSlot]?.add(socket);
  nextHeldSlot = (nextHeldSlot + 1) % HOLD_TICKS;
}

// The streams are spread over the ticks of a second. A late timer sends the slots it missed, so that the rate holds.
function startHoldClock(): void {
  let sentTicks = Math.floor(performance.now() / HOLD_TICK_MS);
  setInterval(() => {
    const dueTicks = Math.floor(performance.now() / HOLD_TICK_MS);
    for (; sentTicks < dueTicks; sentTicks += 1) {
      for (const socket of held[sentTicks % HOLD_TICKS] ?? []) socket.write(chunk(stampedEvent(nowUs())));
    }
  }, HOLD_TICK_MS / 2);
}

function forget(socket: net.Socket): void {
  paced.delete(socket);
  for (const slot of held) slot.delete(socket);
}

function chunk(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}
