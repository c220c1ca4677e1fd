import { BaseAnthropic, type Anthropic } from '@anthropic-ai/sdk';
import { CREDENTIAL_HEADERS } from '../core/headers.ts';
import type { Clock } from '../core/clock.ts';
import type { AnswerReceiver, Upstream, UpstreamCall, UpstreamEnd } from '../pipeline/upstream.ts';
import type { Transport } from './transport.ts';

/**
 * One upstream credential as one pooled SDK client. The SDK authenticates and builds requests; its `fetch` is ours, so
 * that the answer's bytes go straight from the transport to the receiver instead of through Web Streams. What it adds to
 * a request, once the caller's own headers have replaced its own, is the credential alone: that is kept for a while and
 * put on the requests that follow, because building one costs the SDK as much as relaying a small answer costs us.
 */
export interface ClaudeUpstreamOptions {
  readonly id: string;
  /** Without `/v1`. */
  readonly baseUrl: string;
  /** null: the caller's own credential is among the call's headers. */
  readonly apiKey: string | null;
  readonly transport: Transport;
  readonly clock: Clock;
}

/** How long what the SDK added to one request is put on others: credentials may rotate. */
const ADDED_HEADERS_LIFE_MS = 60_000;

const EXCHANGE = Symbol('exchange');

/**
 * Given to the SDK where callers bring their own: without a key it would look for one in files and identity tokens of the
 * operator, and fail each call that it finds none for in time. It never goes out.
 */
const NO_KEY = 'none';

/** The SDK arms a timer for the head of an answer; the transport has the timeout that counts. */
const SDK_TIMEOUT_MS = 24 * 60 * 60 * 1000;

interface Exchange {
  start(headers: Headers): Promise<Response>;
}

type InitWithExchange = RequestInit & { [EXCHANGE]?: Exchange };
type FetchOptions = NonNullable<Anthropic.RequestOptions['fetchOptions']>;

export function createClaudeUpstream(options: ClaudeUpstreamOptions): Upstream {
  const { id, baseUrl, apiKey, transport, clock } = options;
  let added: Readonly<Record<string, string>> = {};
  let addedUntilMs = Number.NEGATIVE_INFINITY;
  const client = new BaseAnthropic({
    apiKey: apiKey ?? NO_KEY,
    authToken: null,
    baseURL: baseUrl,
    maxRetries: 0,
    timeout: SDK_TIMEOUT_MS,
    logLevel: 'off',
    openTelemetry: false,
    fetch: async (_url, init?: InitWithExchange) => {
      const exchange = init?.[EXCHANGE];
      if (!exchange) throw new Error('a call to the upstream without its exchange');
      return exchange.start(new Headers(init.headers));
    },
  });

  return {
    id,
    async send(call, receiver) {
      if (clock.nowMs() < addedUntilMs) {
        return transport.send(
          { ...call, url: urlOf(baseUrl, call.target), headers: { ...call.headers, ...added } },
          receiver,
        );
      }
      const exchange = createExchange(call, receiver, baseUrl, transport, (built) => {
        if (apiKey === null) return {}; // the caller's own is among the call's headers, and nobody else's
        added = credentialOf(built);
        addedUntilMs = clock.nowMs() + ADDED_HEADERS_LIFE_MS;
        return added;
      });
      try {
        await client
          .request({
            method: call.method.toLowerCase() as 'post',
            path: call.target,
            headers: call.headers,
            ...(call.body instanceof Uint8Array ? { body: call.body } : {}),
            fetchOptions: { [EXCHANGE]: exchange } as FetchOptions,
          })
          .asResponse();
      } catch (error) {
        // The SDK throws for every status but 2xx, which the receiver has long been given, and for a call that failed
        // before its head, whose end says why. Only what kept the call from starting is still unknown.
        if (!exchange.ended) throw error;
      }
      return exchange.ended ?? { kind: 'failed', code: 'upstream_broken' };
    },
  };
}

/** Of all that the SDK puts on a request (its user agent, what the environment adds) only the credential goes out. */
function credentialOf(headers: Headers): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => CREDENTIAL_HEADERS.includes(name)));
}

function createExchange(
  call: UpstreamCall,
  receiver: AnswerReceiver,
  baseUrl: string,
  transport: Transport,
  credentialFrom: (built: Headers) => Readonly<Record<string, string>>,
) {
  const { promise: head, resolve, reject } = Promise.withResolvers<Response>();
  const exchange: Exchange & { ended: Promise<UpstreamEnd> | null } = {
    ended: null,
    start(headers) {
      const credential = credentialFrom(headers);
      exchange.ended = transport
        .send(
          { ...call, url: urlOf(baseUrl, call.target), headers: { ...call.headers, ...credential } },
          {
            head(answer, flow) {
              receiver.head(answer, flow);
              resolve(new Response(null, { status: isResponseStatus(answer.status) ? answer.status : 500 }));
            },
            chunk: (chunk) => receiver.chunk(chunk),
          },
        )
        .then((end) => {
          reject(new Error(end.kind)); // without effect once the head has come
          return end;
        });
      return head;
    },
  };
  return exchange;
}

/** The range that a Fetch Response can be made with. */
function isResponseStatus(status: number): boolean {
  return status >= 200 && status <= 599;
}

/** The target goes out as the caller wrote it: the SDK would parse the query and write it anew. */
function urlOf(baseUrl: string, target: string): string {
  return (baseUrl.endsWith('/') ? baseUrl.slice(0, -1) : baseUrl) + target;
}
