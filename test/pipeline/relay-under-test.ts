import { beforeEach } from 'vitest';
import type { GatewayRequest, Outcome } from '../../src/core/exchange.ts';
import type { TokenUsage } from '../../src/core/usage.ts';
import { createRelay, type Relay } from '../../src/pipeline/relay/relay.ts';
import type { Context } from '../../src/pipeline/service.ts';
import type { UpstreamEnd } from '../../src/pipeline/upstream.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';
import { entryOf } from './fleet-under-test.ts';
import { contextOf, requestOf, type ScriptedContext, type ScriptedReply } from './scripted.ts';

/** A relay between a scripted caller and an upstream that is the test itself, with a layer's watch that remembers. */
export interface RelayUnderTest {
  readonly clock: FakeClock;
  readonly context: ScriptedContext;
  readonly reply: ScriptedReply;
  readonly openStreams: number;
  /** How often the upstream was told to go on. */
  readonly resumed: number;
  readonly watched: Watched;
  /** Begins anew, on the same clock; without parts this happens before each test. */
  renew(parts?: RelayParts): void;
  head(status: number, headers?: Record<string, string>): void;
  streamBegins(): void;
  jsonBegins(status?: number): void;
  chunk(bytes: string | Uint8Array): boolean;
  finish(end: UpstreamEnd): Promise<Outcome>;
}

export interface RelayParts {
  readonly request?: Partial<GatewayRequest>;
  readonly hideRateLimits?: boolean;
  /** `own` where it is left out. */
  readonly credential?: 'own' | 'caller';
  /** What becomes of an object before it is sent. */
  readonly editAnswer?: NonNullable<Context['editAnswer']>;
}

/** What the relay asked of the layer that watches, and told it. */
export interface Watched {
  /** The usage with which each value of `x-slipstream-cache` was asked for. */
  readonly cacheHeaders: (TokenUsage | null)[];
  /** The usage known at each call of onContent. */
  readonly contents: (TokenUsage | null)[];
}

export const ENDED: UpstreamEnd = { kind: 'ended' };
export const ABORTED: UpstreamEnd = { kind: 'aborted' };
export const BROKEN: UpstreamEnd = { kind: 'failed', code: 'upstream_broken' };
export const CACHE_HEADER = 'miss; reason=first_seen';
export const STREAM_IDLE_MS = 60_000;
export const MEBIBYTE = 1024 * 1024;

/** Call once per test file. */
export function useRelay(): RelayUnderTest {
  let clock: FakeClock;
  let context: ScriptedContext;
  let relay: Relay;
  let watched: Watched;
  let openStreams: number;
  let resumed: number;

  const renew = ({ request = {}, hideRateLimits = false, credential = 'own', editAnswer }: RelayParts = {}): void => {
    [openStreams, resumed] = [0, 0];
    const seen: Watched = { cacheHeaders: [], contents: [] };
    watched = seen;
    const watch = {
      cacheHeader: (usage: TokenUsage | null) => (seen.cacheHeaders.push(usage && { ...usage }), CACHE_HEADER),
      onContent: (usage: TokenUsage | null) => void seen.contents.push(usage && { ...usage }),
      onSend: () => {},
    };
    const { routed } = entryOf('main');
    context = { ...contextOf(clock), watch, ...(editAnswer && { editAnswer, routed }) };
    const onOpenStreams = (by: 1 | -1): void => void (openStreams += by);
    relay = createRelay(requestOf(request), context, {
      clock,
      hideRateLimits,
      onOpenStreams,
      credential,
      streamIdleMs: () => STREAM_IDLE_MS,
    });
  };
  beforeEach(() => {
    clock = createFakeClock();
    renew();
  });

  const head: RelayUnderTest['head'] = (status, headers = {}) =>
    relay.head({ status, headers }, { resume: () => void resumed++ });
  return {
    get clock() {
      return clock;
    },
    get context() {
      return context;
    },
    get reply() {
      return context.reply;
    },
    get openStreams() {
      return openStreams;
    },
    get resumed() {
      return resumed;
    },
    get watched() {
      return watched;
    },
    renew,
    head,
    streamBegins: () => head(200, { 'content-type': 'text/event-stream; charset=utf-8' }),
    jsonBegins: (status = 200) => head(status, { 'content-type': 'application/json' }),
    chunk: (bytes) => relay.chunk(typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes),
    finish: (end) => relay.finish(end),
  };
}
