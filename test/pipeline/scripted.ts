import type { FailureKind, UpstreamFailure } from '../../src/core/attempt.ts';
import { newNotes, newTimings, NO_WATCH, type AttemptNote, type ExchangeTimings, type GatewayRequest, type Outcome, type Reply, type ResponseHead } from '../../src/core/exchange.ts'; // prettier-ignore
import type { HeaderMap } from '../../src/core/headers.ts';
import type { Tenant } from '../../src/core/tenant.ts';
import { NO_USAGE, type TokenUsage } from '../../src/core/usage.ts';
import type { GaugeBoard, Metrics } from '../../src/metrics/metrics.ts';
import { FIRST_ATTEMPT, type Context } from '../../src/pipeline/service.ts';
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
    slots: { limit: 1, maxWaiters: 1, maxWaitMs: 1_000 },
    weight: 1,
    upstreams: ['main'],
    budget: null,
    cache: 'off',
    hangUp: 'cancel',
    recover: 'off',
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
  const reply = createScriptedReply();
  return {
    tenant,
    clock,
    reply,
    signal: caller.signal,
    stop: (reason) => caller.abort(reason),
    timings: newTimings(),
    routed: null,
    attempt: FIRST_ATTEMPT,
    expectedInputTokens: null,
    onHead: () => {},
    onContent: () => {},
    watch: NO_WATCH,
    notes: newNotes(),
    leave() {
      caller.abort('caller_gone');
      reply.drain(); // as real replies do: nobody is left to wait for
    },
  };
}

/** A caller that remembers what reached it, and reads slowly when told to. */
export interface ScriptedReply extends Reply {
  readonly head: ResponseHead | null;
  readonly text: string;
  readonly ending: 'open' | 'ended' | 'cut' | 'dropped';
  /** From now on every write is one too many, until `drain`. */
  fill(): void;
  drain(): void;
  /** How many wait for the reply to drain: more than one would resume the upstream twice. */
  readonly draining: number;
  /** From now on an end or a cut takes until the last byte has been read: until `drain`, or until it is dropped. */
  lag(): void;
}

function createScriptedReply(): ScriptedReply {
  const decoder = new TextDecoder();
  let head: ResponseHead | null = null;
  let text = '';
  let ending: ScriptedReply['ending'] = 'open';
  let isFull = false;
  let waiting: (() => void)[] = [];
  let unread: PromiseWithResolvers<void> | null = null;
  const drain = (): void => {
    isFull = false;
    unread?.resolve();
    const runs = waiting;
    waiting = [];
    for (const run of runs) run();
  };
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
      await unread?.promise;
    },
    async cut() {
      ending = 'cut';
      await unread?.promise;
    },
    async drop() {
      ending = 'dropped';
      drain();
    },
    fill() {
      isFull = true;
    },
    drain,
    lag() {
      unread = Promise.withResolvers();
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
  return {
    kind: 'answered',
    status: 200,
    isStream: true,
    end: 'complete',
    usage: null,
    model: null,
    failure: null,
    ...part,
  };
}

/** An error answer that has been kept; `sent` sees with which further headers it goes out in the end. */
export function heldOf(
  status: number,
  failure: UpstreamFailure | null,
  sent: (more: HeaderMap | undefined) => void = () => {},
): Outcome {
  const send = async (more?: HeaderMap): Promise<Outcome> => {
    sent(more);
    return answeredOf({ status, isStream: false, failure });
  };
  return { kind: 'held', status, body: new Uint8Array(), failure, send };
}

export function failureOf(kind: FailureKind, part: Partial<UpstreamFailure> = {}): UpstreamFailure {
  return { kind, retryAfterMs: null, shouldRetry: null, ...part };
}

export function noteOf(part: Partial<AttemptNote> = {}): AttemptNote {
  return { upstream: 'main', outcome: 'ok', status: 200, sentAtMs: 0, endedAtMs: 0, ...part };
}

export function usageOf(part: Partial<TokenUsage>): TokenUsage {
  return { ...NO_USAGE, ...part };
}

/** Figures by name and labels, as `name{a="b"}`; histograms as the list of what was observed. */
export interface RecordedMetrics extends Metrics, Pick<GaugeBoard, 'add' | 'set'> {
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
    adjust: add,
    add,
    hold(name, labels) {
      add(name, labels, 1);
      return () => add(name, labels, -1);
    },
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
