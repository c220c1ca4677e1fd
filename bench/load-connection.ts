// One keep-alive connection of the load: one call at a time, written and read on a raw socket. Each answer is compared with
// the mock's bytes as it arrives; the first byte that counts is the first of the body, since a proxy may send its headers
// early. A call always ends in an outcome, also when the peer closes, answers something else or nothing at all.

import net from 'node:net';

import { nowUs } from './answers.ts';
import { MessageReader } from './http-reader.ts';
import type { MessageHead } from './http-reader.ts';
import type { BodyTemplate } from './request-bodies.ts';

export interface Target {
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
}

type CallOutcome =
  | { readonly kind: 'ok'; readonly firstByteUs: number; readonly totalUs: number }
  | { readonly kind: 'failed'; readonly reason: string };

export interface Connection {
  call(body: BodyTemplate, requestNumber: number, expected: Buffer): Promise<CallOutcome>;
  close(): void;
}

interface Call {
  readonly expected: Buffer;
  readonly startedUs: number;
  readonly settle: (outcome: CallOutcome) => void;
  readBytes: number;
  firstByteUs: number;
  failure: string | undefined;
  refusal: string;
}

const CALL_DEADLINE_MS = 60_000;
const REFUSAL_CHARACTERS = 300;

export function connectionTo(target: Target): Connection {
  let socket: net.Socket | undefined;
  let current: Call | undefined;

  const end = (outcome: CallOutcome): void => {
    const ended = current;
    current = undefined;
    ended?.settle(outcome);
  };
  const drop = (): void => {
    socket?.destroy();
    socket = undefined;
  };
  const connect = (): net.Socket => {
    const made = net.connect({ port: target.port, host: '127.0.0.1', noDelay: true });
    let closes = false;
    const reader = new MessageReader({
      onHead: (head) => {
        closes = head.headers.get('connection') === 'close';
        if (current !== undefined) noteHead(current, head);
      },
      onBody: (part) => current !== undefined && noteBody(current, part),
      onEnd: () => {
        if (closes) drop();
        if (current !== undefined) end(outcomeOf(current));
      },
    });
    const onGone = (reason: string): void => {
      if (socket !== made) return;
      socket = undefined;
      reader.close();
      end({ kind: 'failed', reason });
    };
    made.on('data', (bytes) => reader.push(bytes));
    made.on('error', (error: NodeJS.ErrnoException) => onGone(`socket: ${error.code ?? error.message}`));
    made.on('close', () => onGone('closed before the answer was complete'));
    made.setTimeout(CALL_DEADLINE_MS, () => {
      onGone(`no byte for ${CALL_DEADLINE_MS} ms`);
      made.destroy();
    });
    return made;
  };

  return {
    call: (body, requestNumber, expected) =>
      new Promise((settle) => {
        current = {
          expected,
          settle,
          startedUs: nowUs(),
          readBytes: 0,
          firstByteUs: 0,
          failure: undefined,
          refusal: '',
        };
        socket ??= connect();
        writeRequest(socket, target, body, requestNumber);
      }),
    close: drop,
  };
}

/** Head, shared part and last part in one write where the kernel takes it. */
export function writeRequest(socket: net.Socket, target: Target, body: BodyTemplate, requestNumber: number): void {
  socket.cork();
  socket.write(requestHead(target, body.totalBytes));
  socket.write(body.shared);
  socket.write(body.last(requestNumber));
  socket.uncork();
}

function requestHead(target: Target, bodyBytes: number): string {
  const headers = {
    host: `127.0.0.1:${target.port}`,
    'content-type': 'application/json',
    accept: 'application/json',
    'user-agent': 'slipstream-bench',
    'anthropic-version': '2023-06-01',
    ...target.headers,
    'content-length': String(bodyBytes),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST /v1/messages HTTP/1.1\r\n${lines.join('')}\r\n`;
}

function noteHead(call: Call, head: MessageHead): void {
  const status = head.startLine.split(' ')[1];
  if (status !== '200') call.failure = `status ${status}`;
}

function noteBody(call: Call, part: Buffer): void {
  if (call.readBytes === 0) call.firstByteUs = nowUs() - call.startedUs;
  const sent = call.expected.subarray(call.readBytes, call.readBytes + part.length);
  call.readBytes += part.length;
  if (call.failure !== undefined) call.refusal = (call.refusal + part.toString()).slice(0, REFUSAL_CHARACTERS);
  else if (!part.equals(sent)) call.failure = `bytes differ before byte ${call.readBytes}`;
}

function outcomeOf(call: Call): CallOutcome {
  if (call.failure !== undefined) return { kind: 'failed', reason: `${call.failure} ${call.refusal}`.trim() };
  if (call.readBytes !== call.expected.length) {
    return { kind: 'failed', reason: `${call.readBytes} bytes instead of ${call.expected.length}` };
  }
  return { kind: 'ok', firstByteUs: call.firstByteUs, totalUs: nowUs() - call.startedUs };
}
