import type { CacheResult } from '../core/cache-result.ts';
import type { ErrorCode } from '../core/errors.ts';
import type {
  AttemptNote,
  CacheStory,
  ExchangeTimings,
  GatewayRequest,
  StreamOutcome,
  WaitNote,
} from '../core/exchange.ts';
import type { Cost } from '../core/prices.ts';
import type { TokenUsage } from '../core/usage.ts';

/** Everything that is known of one finished exchange; holds no prompt, answer or key. */
export interface ExchangeRecord {
  readonly id: string;
  readonly tenant: string;
  readonly operation: GatewayRequest['operation'];
  /** As the answer names it, else as the request does. */
  readonly model: string | null;
  /** As the request names it. */
  readonly requestedModel: string | null;
  readonly status: number;
  readonly end: StreamOutcome | 'refused';
  readonly refusal: ErrorCode | null;
  readonly isStream: boolean;
  readonly cache: CacheResult;
  readonly usage: TokenUsage | null;
  readonly cost: Cost | null;
  readonly timings: Readonly<ExchangeTimings>;
  /** What the prompt cache did; null where it had no part in it. */
  readonly cacheStory: CacheStory | null;
  /** Its calls to upstreams, in order. */
  readonly attempts: readonly AttemptNote[];
  /** What it waited for, in order. */
  readonly waits: readonly WaitNote[];
  /** As the caller sent it; not checked. */
  readonly traceparent: string | null;
  readonly receivedAtMs: number;
  readonly endedAtMs: number;
}
