import type { UpstreamFailure } from './attempt.ts';
import type { CacheResult } from './cache-result.ts';
import type { Refusal } from './errors.ts';
import type { HeaderMap } from './headers.ts';
import type { ObjectCall } from './owned-objects.ts';
import type { ScannedPrompt } from './scanned-prompt.ts';
import type { TokenUsage } from './usage.ts';

/** One request and its answer, as every layer sees them, on any runtime and in any dialect. */

export type Operation = 'messages' | 'count_tokens' | 'batches' | 'files' | 'models' | 'other';

export interface GatewayRequest {
  /** `x-slipstream-id` of the answer and the logs. */
  readonly id: string;
  readonly operation: Operation;
  readonly method: string;
  /** Path and query as the caller wrote them, from `/v1/` on. */
  readonly target: string;
  readonly headers: HeaderMap;
  /**
   * The caller's bytes, whole and untouched; a stream only for what the gateway does not read. Given up (`releaseBody`) when
   * content has begun: an answer may take minutes, and a megabyte for each would be most of the process.
   */
  body: Uint8Array | AsyncIterable<Uint8Array> | null;
  /** As the body names it; null where it names none or cannot be read (a compressed body). */
  readonly model: string | null;
  /** Where the body's prefix could be cached; null where the body was not read. */
  readonly prompt: ScannedPrompt | null;
  /** What it does to batches or files; absent where it is about neither. */
  readonly object?: ObjectCall;
  readonly receivedAtMs: number;
}

/** Nobody needs the bytes of this request any more. */
export function releaseBody(request: GatewayRequest): void {
  request.body = null;
}

export interface ResponseHead {
  readonly status: number;
  readonly headers: HeaderMap;
}

/**
 * The way back to the caller. Pushed, with back-pressure, and open until the last byte has left or the caller is gone:
 * whoever holds a slot for an exchange holds it for as long as the promise of the whole exchange is pending.
 */
export interface Reply {
  readonly isOpen: boolean;
  /** Sends status and headers, once. */
  open(head: ResponseHead): void;
  /** False when the caller reads more slowly than we write: stop until `onDrain` runs. */
  write(chunk: Uint8Array): boolean;
  /** Runs once when a full reply can take more, or when the caller is gone. */
  onDrain(run: () => void): void;
  /**
   * Ends properly; resolves when the last byte has left or the caller is gone. Trailers go out where the head announced
   * them and the runtime and HTTP version can.
   */
  end(trailers?: HeaderMap): Promise<void>;
  /** Ends so that the caller can see that something is missing: what was written is flushed, the end mark is not. */
  cut(): Promise<void>;
  /** Ends at once: what the caller has not read by now is lost. */
  drop(): Promise<void>;
}

/**
 * Why an exchange is over before its answer is: the reason of its signal. `draining`: this process ends;
 * `reader_stalled`: the caller is there and takes nothing.
 */
export type StopReason = 'caller_gone' | 'draining' | 'reader_stalled';

/** How the body of a 2xx answer ended. */
export type StreamOutcome = 'complete' | 'client_abort' | 'reader_stalled' | 'upstream_error' | 'truncated';

/** Milliseconds on the gateway's clock; null where it never came to that. */
export interface ExchangeTimings {
  /** When the first call went upstream, and the newest: the same unless it was asked again. */
  firstSentAtMs: number | null;
  upstreamSentAtMs: number | null;
  upstreamHeadAtMs: number | null;
  firstContentAtMs: number | null;
  /**
   * The gateway's own time until it begins the first call: waiting for a slot or for another request is not in it, nor is
   * the call's own work, to build its headers and to write them.
   */
  overheadMs: number | null;
  /** Waited for a slot, the tenant's or an upstream's. */
  queueMs: number | null;
  /** Waited for another request to write a prefix that this one reads. */
  holdMs: number;
  /** From the arrival of the first content bytes to their leaving. */
  firstEventMs: number | null;
}

export function newTimings(): ExchangeTimings {
  return {
    firstSentAtMs: null,
    upstreamSentAtMs: null,
    upstreamHeadAtMs: null,
    firstContentAtMs: null,
    overheadMs: null,
    queueMs: null,
    holdMs: 0,
    firstEventMs: null,
  };
}

/** What the prompt cache did with a request, told without a word of its prompt. */
export interface CacheStory {
  readonly result: CacheResult;
  readonly reason: string | null;
  /** Where it parted from the closest known prefix, as `system[1]`, and the byte of the body at which that begins. */
  readonly at: string | null;
  readonly byte: number | null;
  /** The markers that were added, and why each stands where it does. */
  readonly added: readonly { readonly place: string; readonly ttl: string; readonly why: string }[];
  /** Whether it led the writing of a prefix or waited for another request that did. */
  readonly flight: string;
  /** Tokens as the plan expected them. */
  readonly expected: Readonly<Record<string, number>>;
}

/** One call to an upstream, as an exchange's story tells it. */
export interface AttemptNote {
  readonly upstream: string;
  readonly outcome: string;
  /** null: it ended before its head. */
  readonly status: number | null;
  readonly sentAtMs: number;
  readonly endedAtMs: number;
}

/**
 * Something that an exchange waited for: a slot (`queue`), another request's write (`hold`), or the time to ask again
 * (`pause`).
 */
export interface WaitNote {
  readonly kind: WaitKind;
  readonly fromMs: number;
  /** null: it is waiting now. */
  untilMs: number | null;
}

export type WaitKind = 'queue' | 'hold' | 'pause';

/** How far an event stream has come, for whoever watches it meanwhile. */
export interface AnswerProgress {
  readonly usage: TokenUsage;
  readonly deltas: number;
  /** Of the chunks behind the one in which content began, with their framing. */
  readonly contentBytes: number;
}

/** What layers leave behind on an exchange for whoever tells its story. */
export interface ExchangeNotes {
  cache: CacheStory | null;
  readonly attempts: AttemptNote[];
  readonly waits: WaitNote[];
  /** The calls that were begun, and where the newest went; null before the first. */
  calls: number;
  upstream: string | null;
  /** The stream that is being read; null before its head, and where the answer is none. */
  answer: AnswerProgress | null;
}

export function newNotes(): ExchangeNotes {
  return { cache: null, attempts: [], waits: [], calls: 0, upstream: null, answer: null };
}

/** What a layer wants to know of an answer while it passes, and to say on it. */
export interface AnswerWatch {
  /** The value of `x-slipstream-cache`; asked once, when the reply opens. null usage: none was known by then. */
  cacheHeader(usage: TokenUsage | null): string;
  /**
   * The first content event of a stream, or the whole of a JSON answer, has come: what the request wrote can be read.
   * Called once, with what the answer says it read and wrote.
   */
  onContent(usage: TokenUsage | null): void;
  /** The request goes out now, after all waiting. */
  onSend(): void;
}

export const NO_WATCH: AnswerWatch = { cacheHeader: () => 'off', onContent: () => {}, onSend: () => {} };

/** What became of one exchange. Returned by every layer, never thrown. */
export type Outcome =
  | {
      /** An upstream answered and the caller has been sent all of it, or as much as there was. */
      readonly kind: 'answered';
      readonly status: number;
      readonly isStream: boolean;
      readonly end: StreamOutcome;
      readonly usage: TokenUsage | null;
      readonly model: string | null;
      /** What was wrong with the upstream; null where nothing was, or nothing that it could help. */
      readonly failure: UpstreamFailure | null;
    }
  | {
      /** Nothing has reached the caller yet: the edge renders it. */
      readonly kind: 'refused';
      readonly refusal: Refusal;
      /** What was wrong with the upstream, where that is the reason. */
      readonly failure?: UpstreamFailure;
      /** What an upstream had said by then that is billed. */
      readonly usage?: TokenUsage | null;
      readonly model?: string | null;
    }
  | {
      /**
       * An upstream answered with an error and nothing of it has been sent: whoever can mend it asks again, or sends it.
       * A stream that ends with an `error` event before any content is one, too.
       */
      readonly kind: 'held';
      readonly status: number;
      readonly body: Uint8Array;
      readonly failure: UpstreamFailure | null;
      /** @param more headers to put on it, in lower case. */
      send(more?: HeaderMap): Promise<Outcome>;
    }
  | {
      /** The caller left before anything could be sent. */
      readonly kind: 'abandoned';
      /** What an upstream had said by then. */
      readonly usage?: TokenUsage | null;
      readonly model?: string | null;
    };
