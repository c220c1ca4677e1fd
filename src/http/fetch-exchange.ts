import type { Context as HonoContext } from 'hono';
import type { Clock } from '../core/clock.ts';
import type { Outcome, Reply, StopReason } from '../core/exchange.ts';
import type { HeaderMap } from '../core/headers.ts';
import { withinStall } from '../pipeline/wait.ts';
import { giveUp } from './body-reader.ts';
import type { BodyLimits, BodyResult, ExchangeOf, HttpExchange, Responded } from './exchange.ts';

/** The exchange of the Fetch API: Request in, Response with a streamed body out. */
export function createFetchExchange(clock: Clock): ExchangeOf {
  return (context) => fetchExchange(context, clock);
}

function fetchExchange(context: HonoContext, clock: Clock): HttpExchange {
  const request = context.req.raw;
  const caller = new Caller();
  if (request.signal.aborted) caller.leave();
  request.signal.addEventListener('abort', () => caller.leave(), { once: true });
  const url = new URL(request.url);
  return {
    method: request.method,
    target: url.pathname + url.search,
    headers: headerMap(request.headers),
    signal: caller.over.signal,
    stop: (reason) => caller.over.abort(reason),
    readBody: (limits) => readBody(request, limits, clock),
    bodyStream: () => request.body,
    respond: (run) => respond(run, caller, clock),
  };
}

/**
 * The other side: there, or gone; its exchange may be over in either case. No accessor in an object of its own: V8 makes a
 * shape for each such object and keeps it, with all that the accessor sees, until the old generation is collected.
 */
class Caller {
  readonly over = new AbortController();
  isGone = false;

  leave(): void {
    this.isGone = true;
    this.over.abort('caller_gone' satisfies StopReason);
  }
}

function headerMap(headers: Headers): HeaderMap {
  return Object.fromEntries(headers);
}

async function readBody(request: Request, limits: BodyLimits, clock: Clock): Promise<BodyResult> {
  if (Number(request.headers.get('content-length') ?? 0) > limits.maxBytes) return { kind: 'too_large' };
  const reader = request.body?.getReader();
  if (!reader) return { kind: 'read', bytes: new Uint8Array() };
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const step = await withinStall(reader.read(), limits.stallMs, clock);
      if (step === 'stalled') return await giveUp(reader, { kind: 'stalled' });
      if (step.done) return { kind: 'read', bytes: await new Blob(chunks as BlobPart[]).bytes() };
      chunks.push(step.value);
      size += step.value.length;
      if (size > limits.maxBytes) return await giveUp(reader, { kind: 'too_large' });
    }
  } catch {
    return { kind: 'gone' };
  }
}

/** Bytes that may wait for the caller before the upstream is paused. */
const HIGH_WATER_BYTES = 64 * 1024;

async function respond(run: (reply: Reply) => Promise<Outcome>, caller: Caller, clock: Clock): Promise<Responded> {
  const opened = Promise.withResolvers<Response>();
  const outcome = run(createStreamReply(opened.resolve, caller, clock));
  const first = await Promise.race([opened.promise, outcome]);
  return first instanceof Response ? { kind: 'sent', response: first } : { kind: 'unsent', outcome: first };
}

function createStreamReply(onOpen: (response: Response) => void, caller: Caller, clock: Clock): Reply {
  let controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  let onDrain: (() => void) | null = null;
  // What is queued in a stream is dropped when it errs: the last frame says why, so it is let out first.
  let pulled = Promise.withResolvers<void>();
  const nextPull = async (): Promise<void> => {
    pulled = Promise.withResolvers<void>();
    await pulled.promise;
  };
  const hasQueued = (): boolean => (controller?.desiredSize ?? HIGH_WATER_BYTES) < HIGH_WATER_BYTES;
  const drained = (): void => {
    pulled.resolve();
    const run = onDrain;
    onDrain = null;
    run?.();
  };
  const body = new ReadableStream<Uint8Array>(
    {
      start: (streamController) => {
        controller = streamController;
      },
      pull: drained,
      cancel: () => {
        caller.leave();
        drained();
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: HIGH_WATER_BYTES }),
  );
  const reply: Reply & { isOpen: boolean } = {
    isOpen: false,
    open({ status, headers }) {
      reply.isOpen = true;
      const list = Object.entries(headers).flatMap(([name, value]) =>
        typeof value === 'string' ? [[name, value]] : value.map((one) => [name, one]),
      );
      const bodyless = status === 204 || status === 304;
      onOpen(new Response(bodyless ? null : body, { status, headers: list as [string, string][] }));
    },
    write(chunk) {
      if (caller.isGone) return true;
      controller?.enqueue(chunk);
      return (controller?.desiredSize ?? 1) > 0;
    },
    onDrain(run) {
      onDrain = run;
      if (caller.isGone) drained();
    },
    async end() {
      if (!caller.isGone) controller?.close();
    },
    async cut() {
      while (!caller.isGone && hasQueued()) await nextPull();
      if (caller.isGone) return;
      await new Promise<void>((resolve) => void clock.after(0, resolve)); // written, not only read
      if (!caller.isGone) controller?.error(new Error('the answer broke off'));
    },
    async drop() {
      if (!caller.isGone) controller?.error(new Error('the reader stalled'));
      caller.leave();
      drained();
    },
  };
  return reply;
}
