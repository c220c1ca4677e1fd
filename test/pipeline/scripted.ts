import { NO_WATCH, type ExchangeTimings, type GatewayRequest, type Outcome, type Reply, type ResponseHead } from '../../src/core/exchange.ts'; // prettier-ignore
import { createFixedLimit } from '../../src/core/limit.ts';
import type { Tenant } from '../../src/core/tenant.ts';
import { NO_USAGE, type TokenUsage } from '../../src/core/usage.ts';
import type { Metrics } from '../../src/metrics/metrics.ts';
import type { Context } from '../../src/pipeline/service.ts';
import type { AnswerReceiver, Flow, Upstream, UpstreamCall, UpstreamEnd } from '../../src/pipeline/upstream.ts';
import type { FakeClock } from '../support/fake-clock.ts';

/** The parts of one exchange that a test plays itself: the caller, the upstream, the figures. No socket is opened. */

export function requestOf(part: Partial<GatewayRequest> = {}): GatewayRequest {
  return {
    id: 'slip_1',
    operation: 'messages',
    method: 'POST',
    target: '/v1/messages',
    headers: {},
    body: new Uint8Array(),
    model: 'claude-opus-5',
    prompt: null,
    receivedAtMs: 0,
    ...part,
  };
}

export function tenantOf(part: Partial<Tenant> = {}): Tenant {
  return {
    id: 'acme',
    slots: { limit: createFixedLimit(1), maxWaiters: 1, maxWaitMs: 1_000 },
    upstreams: ['main'],
    budget: null,
    cache: 'off',
    ...part,
  };
}

export interface ScriptedContext extends Context {
  readonly reply: ScriptedReply;
  readonly timings: ExchangeTimings;
  /** The caller leaves. */
  leave(): void;
}

export function contextOf(clock: FakeClock, tenant: Tenant = tenantOf()): ScriptedContext {
  const caller = new AbortController();
  return {
    tenant,
    clock,
    reply: createScriptedReply(),
    signal: caller.signal,
    timings: {
      upstreamSentAtMs: null,
      upstreamHeadAtMs: null,
      firstContentAtMs: null,
      queueMs: 0,
      holdMs: 0,
      firstEventMs: null,
    },
    routed: null,
    watch: NO_WATCH,
    notes: { cache: null },
    leave: () => caller.abort(),
  };
}

/** A caller that remembers what reached it, and reads slowly when told to. */
export interface ScriptedReply extends Reply {
  readonly head: ResponseHead | null;
  readonly text: string;
  readonly ending: 'open' | 'ended' | 'cut';
  /** From now on every write is one too many, until `drain`. */
  fill(): void;
  drain(): void;
  /** How many wait for the reply to drain: more than one would resume the upstream twice. */
  readonly draining: number;
}

function createScriptedReply(): ScriptedReply {
  const decoder = new TextDecoder();
  let head: ResponseHead | null = null;
  let text = '';
  let ending: ScriptedReply['ending'] = 'open';
  let isFull = false;
  let waiting: (() => void)[] = [];
  return {
    get isOpen() {
      return head !== null;
    },
    get head() {
      return head;
    },
    get text() {
      return text;
    },
    get ending() {
      return ending;
    },
    get draining() {
      return waiting.length;
    },
    open(opened) {
      if (head) throw new Error('opened twice');
      head = opened;
    },
    write(chunk) {
      if (!head || ending !== 'open') throw new Error('written to a reply that is not open');
      text += decoder.decode(chunk, { stream: true });
      return !isFull;
    },
    onDrain: (run) => void waiting.push(run),
    async end() {
      ending = 'ended';
    },
    async cut() {
      ending = 'cut';
    },
    fill() {
      isFull = true;
    },
    drain() {
      isFull = false;
      const runs = waiting;
      waiting = [];
      for (const run of runs) run();
    },
  };
}

/** An upstream whose answer the test writes, and which it ends when it likes. */
export interface ScriptedUpstream extends Upstream {
  readonly calls: readonly UpstreamCall[];
  head(status: number, headers?: Record<string, string>, flow?: Flow): void;
  chunk(text: string): boolean;
  end(end: UpstreamEnd): void;
}

export function createScriptedUpstream(id = 'main'): ScriptedUpstream {
  const calls: UpstreamCall[] = [];
  let receiver: AnswerReceiver | null = null;
  let finish = (_end: UpstreamEnd): void => {};
  const receiving = (): AnswerReceiver => {
    if (!receiver) throw new Error('nothing was sent upstream yet');
    return receiver;
  };
  return {
    id,
    calls,
    send(call, answerReceiver) {
      calls.push(call);
      receiver = answerReceiver;
      return new Promise((resolve) => {
        finish = resolve;
      });
    },
    head: (status, headers = {}, flow = { resume: () => {} }) => receiving().head({ status, headers }, flow),
    chunk: (text) => receiving().chunk(new TextEncoder().encode(text)),
    end: (end) => finish(end),
  };
}

export function answeredOf(part: Partial<Extract<Outcome, { kind: 'answered' }>> = {}): Outcome {
  return { kind: 'answered', status: 200, isStream: true, end: 'complete', usage: null, model: null, ...part };
}

export function usageOf(part: Partial<TokenUsage>): TokenUsage {
  return { ...NO_USAGE, ...part };
}

/** Figures by name and labels, as `name{a="b"}`; histograms as the list of what was observed. */
export interface RecordedMetrics extends Metrics {
  readonly values: Readonly<Record<string, number>>;
  readonly observed: Readonly<Record<string, readonly number[]>>;
}

export function createRecordedMetrics(): RecordedMetrics {
  const values: Record<string, number> = {};
  const observed: Record<string, number[]> = {};
  const add = (name: string, labels: Readonly<Record<string, string>>, by: number): void => {
    const key = seriesOf(name, labels);
    values[key] = (values[key] ?? 0) + by;
  };
  return {
    values,
    observed,
    count: (name, labels, by = 1) => add(name, labels, by),
    add,
    set(name, labels, value) {
      values[seriesOf(name, labels)] = value;
    },
    observe(name, labels, value) {
      (observed[seriesOf(name, labels)] ??= []).push(value);
    },
  };
}

function seriesOf(name: string, labels: Readonly<Record<string, string>>): string {
  const list = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return `${name}{${list.join(',')}}`;
}
