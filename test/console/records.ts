import { newTimings, type ExchangeTimings, type WaitKind, type WaitNote } from '../../src/core/exchange.ts';
import { costOf } from '../../src/core/prices.ts';
import { cacheResultOf } from '../../src/core/cache-result.ts';
import { finishedExchange, type FinishedExchange } from '../../src/console/finished-exchange.ts';
import type { ExchangeRecord } from '../../src/pipeline/exchange-record.ts';

/** Records of exchanges as the metering leaves them, on a clock that stood at 0 at this time of day. */
export const ZERO_WALL_MS = Date.UTC(2026, 10, 22, 12);

type Part = Partial<Omit<ExchangeRecord, 'timings'>> & { readonly timings?: Partial<ExchangeTimings> };

let count = 0;

export function recordOf({ timings = {}, ...part }: Part = {}): ExchangeRecord {
  const model = part.model ?? 'claude-sonnet-5';
  const usage = part.usage ?? null;
  return {
    id: `slip_${++count}`,
    tenant: 'acme',
    operation: 'messages',
    model,
    requestedModel: model,
    status: 200,
    end: 'complete',
    refusal: null,
    isStream: true,
    cache: usage ? cacheResultOf(usage) : 'off',
    usage,
    cost: usage ? costOf(model, usage) : null,
    cacheStory: null,
    attempts: [],
    waits: [],
    traceparent: null,
    receivedAtMs: 0,
    endedAtMs: 0,
    ...part,
    timings: { ...newTimings(), ...timings },
  };
}

/** What the board is fed with, of such a record. */
export function finishedOf(part: Part = {}): FinishedExchange {
  return finishedExchange(recordOf(part), ZERO_WALL_MS);
}

export function waited(kind: WaitKind, fromMs: number, untilMs: number): WaitNote {
  return { kind, fromMs, untilMs };
}
