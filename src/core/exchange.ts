import type { CacheResult } from './cache-result.ts';
import type { Refusal } from './errors.ts';
import type { HeaderMap } from './headers.ts';
import type { ScannedPrompt } from './scanned-prompt.ts';
import type { TokenUsage } from './usage.ts';

/** One request and its answer, as every layer sees them, on any runtime and in any dialect. */

export type Operation = 'messages' | 'count_tokens' | 'models' | 'other';

export interface GatewayRequest {
  /** `x-slipstream-id` of the answer and the logs. */
  readonly id: string;
  readonly operation: Operation;
  readonly method: string;
  /** Path and query as the caller wrote them, from `/v1/` on. */
  readonly target: string;
  readonly headers: HeaderMap;
  /** The caller's bytes, whole and untouched; a stream only for what the gateway does not read. */
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | null;
  /** As the body names it; null where it names none or cannot be read (a compressed body). */
  readonly model: string | null;
  /** Where the body's prefix could be cached; null where the body was not read. */
  readonly prompt: ScannedPrompt | null;
  readonly receivedAtMs: number;
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
  /** Ends properly; resolves when the last byte has left or the caller is gone. */
  end(): Promise<void>;
  /** Ends so that the caller can see that something is missing: what was written is flushed, the end mark is not. */
  cut(): Promise<void>;
}

/** How the body of a 2xx answer ended. */
export type StreamOutcome = 'complete' | 'client_abort' | 'upstream_error' | 'truncated';

/** Milliseconds on the gateway's clock; null where it never came to that. */
export interface ExchangeTimings {
  upstreamSentAtMs: number | null;
  upstreamHeadAtMs: number | null;
  firstContentAtMs: number | null;
  queueMs: number;
  /** Waited for another request to write a prefix that this one reads. */
  holdMs: number;
  /** From the arrival of the first content bytes to their leaving. */
  firstEventMs: number | null;
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

/** What layers leave behind on an exchange for whoever tells its story. */
export interface ExchangeNotes {
  cache: CacheStory | null;
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
  /** Whether an answer of this status is to be held back and returned as `held`. */
  holds(status: number): boolean;
}

export const NO_WATCH: AnswerWatch = { cacheHeader: () => 'off', onContent: () => {}, holds: () => false };

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
    }
  | {
      /** Nothing has reached the caller yet: the edge renders it. */ readonly kind: 'refused';
      readonly refusal: Refusal;
    }
  | {
      /** An upstream answered and nothing of it has been sent: only seen by the layer that asked for it (AnswerWatch). */
      readonly kind: 'held';
      readonly status: number;
      readonly body: Uint8Array;
      /** Sends it after all. */
      send(): Promise<Outcome>;
    }
  | { /** The caller left before anything could be sent. */ readonly kind: 'abandoned' };
