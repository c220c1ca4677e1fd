import type { Clock } from '../core/clock.ts';
import type { AnswerReceiver, UpstreamEnd } from '../pipeline/upstream.ts';
import type { Transport, WireRequest } from '../upstream/transport.ts';
import { decodedAnswer } from './decoded-answer.ts';

/**
 * The transport of Workers: the runtime's own fetch, its answer read chunk by chunk. Nothing is read while the receiver
 * asks to wait, which is how back-pressure reaches the upstream. What the edge has put on the caller's request stays here.
 */
export interface FetchTransportOptions {
  readonly clock: Clock;
  /** An upstream that is silent for this long in the middle of an answer is given up. */
  readonly bodyIdleMs: () => number;
}

/** A non-streaming answer of the largest models may think for ten minutes before its first byte. */
const HEAD_TIMEOUT_MS = 15 * 60_000;

export function createFetchTransport(options: FetchTransportOptions): Transport {
  return {
    send: (request, receiver) => send(request, receiver, options),
    close: async () => {},
  };
}

async function send(
  { method, url, headers, body, signal }: WireRequest,
  receiver: AnswerReceiver,
  { clock, bodyIdleMs }: FetchTransportOptions,
): Promise<UpstreamEnd> {
  if (signal.aborted) return { kind: 'aborted' };
  const call = new AbortController();
  const onAbort = (): void => call.abort();
  signal.addEventListener('abort', onAbort, { once: true });
  const watch = createWatch(clock, () => call.abort());
  try {
    watch.begin(HEAD_TIMEOUT_MS);
    const response = await fetch(url, {
      method,
      headers: upstreamHeaders(headers),
      redirect: 'manual',
      signal: call.signal,
      ...(body === null ? {} : { body: bodyInit(body, headers) }),
    });
    watch.end();
    return await readAnswer(response, receiver, watch, bodyIdleMs, call.signal);
  } catch (error) {
    if (signal.aborted) return { kind: 'aborted' };
    return { kind: 'failed', code: watch.isOver ? 'upstream_timeout' : codeOf(error) };
  } finally {
    watch.end();
    signal.removeEventListener('abort', onAbort);
    call.abort(); // what is left of an answer that nobody reads
  }
}

async function readAnswer(
  response: Response,
  receiver: AnswerReceiver,
  watch: Watch,
  bodyIdleMs: () => number,
  signal: AbortSignal,
): Promise<UpstreamEnd> {
  let resume = (): void => {};
  const over = Promise.withResolvers<never>();
  over.promise.catch(() => {}); // heard of while waiting for the receiver; a read fails by itself
  signal.addEventListener('abort', () => over.reject(new Error('the call is over')), { once: true });
  const { headers, body } = decodedAnswer(response);
  receiver.head({ status: response.status, headers }, { resume: () => resume() });
  const reader = body?.getReader();
  if (!reader) return { kind: 'ended' };
  for (;;) {
    watch.begin(bodyIdleMs());
    const step = await reader.read();
    watch.end();
    if (step.done) return { kind: 'ended' };
    if (receiver.chunk(step.value)) continue;
    const resumed = Promise.withResolvers<void>();
    resume = resumed.resolve;
    await Promise.race([resumed.promise, over.promise]);
  }
}

interface Watch {
  readonly isOver: boolean;
  begin(ms: number): void;
  end(): void;
}

/** One wait at a time: what takes longer is over. */
function createWatch(clock: Clock, onOver: () => void): Watch {
  let cancel = (): void => {};
  const watch = {
    isOver: false,
    begin(ms: number): void {
      cancel();
      cancel = clock.after(ms, () => {
        watch.isOver = true;
        onOver();
      });
    },
    end: () => cancel(),
  };
  return watch;
}

/**
 * Cloudflare adds these to a request that comes in (docs: Fundamentals, HTTP request headers); they tell the upstream who
 * and where the caller is, and are none of what the caller wrote.
 */
const OF_THE_EDGE = /^(?:cf-|cdn-loop$|x-real-ip$|true-client-ip$|x-forwarded-(?:for|proto)$)/;

/** The runtime would ask for compressed answers: they can be neither read along nor filled with pings. */
function upstreamHeaders(headers: WireRequest['headers']): Record<string, string> {
  const own = Object.entries(headers).filter(([name]) => !OF_THE_EDGE.test(name) && name !== 'content-length');
  return { ...Object.fromEntries(own), 'accept-encoding': 'identity' };
}

/** Longer bodies are handed over in slices: the runtime would copy a whole one, and an isolate has 128 MB in all. */
const COPIED_BYTES = 256 * 1024;
const SLICE_BYTES = 64 * 1024;

function* slices(body: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < body.length; at += SLICE_BYTES) yield body.subarray(at, at + SLICE_BYTES);
}

/** A body whose length is known goes out with it, not in chunks. */
function ofLength(bytes: number, pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): ReadableStream {
  const { readable, writable } = new FixedLengthStream(bytes);
  const writer = writable.getWriter();
  const pump = async (): Promise<void> => {
    for await (const piece of pieces) await writer.write(piece);
    await writer.close();
  };
  pump().catch((error: unknown) => writer.abort(error).catch(() => {})); // who reads it is told, or is gone
  return readable;
}

function bodyInit(body: Uint8Array | AsyncIterable<Uint8Array>, headers: WireRequest['headers']): BodyInit {
  if (body instanceof ReadableStream) return body;
  if (body instanceof Uint8Array) return body.length > COPIED_BYTES ? ofLength(body.length, slices(body)) : body;
  if (headers['content-length'] !== undefined) return ofLength(Number(headers['content-length']), body);
  const chunks = body[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const step = await chunks.next();
      if (step.done) controller.close();
      else controller.enqueue(step.value);
    },
  });
}

/** The runtime's errors have no codes. No name or no TLS is an internal error; what is refused cannot be told from what breaks. */
function codeOf(error: unknown): 'upstream_unreachable' | 'upstream_broken' {
  const message = error instanceof Error ? error.message : '';
  return /internal error|refused|unreachable/i.test(message) ? 'upstream_unreachable' : 'upstream_broken';
}
