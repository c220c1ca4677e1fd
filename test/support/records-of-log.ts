import type { StreamOutcome } from '../../src/core/exchange.ts';
import type { ErrorCode } from '../../src/core/errors.ts';
import type { ExchangeRecord } from '../../src/pipeline/exchange-record.ts';
import { NO_USAGE } from '../../src/core/usage.ts';

/** The record of an exchange, as far as its line in the log tells it: for gateways that are another process. */
export function recordOfLine(line: string): ExchangeRecord | null {
  if (!line.startsWith('{"id":"slip_')) return null;
  const told = JSON.parse(line) as Partial<LogLine>;
  if (told.status === undefined) return null; // an internal error has an id, too
  const { tokens, stream, upstreamHeadMs, ...same } = told as LogLine;
  const usage = tokens && {
    ...NO_USAGE,
    uncachedInput: tokens.uncached,
    cacheRead: tokens.cacheRead,
    cacheWrite5m: tokens.cacheWrite5m,
    cacheWrite1h: tokens.cacheWrite1h,
    output: tokens.output,
  };
  const timings = { upstreamHeadAtMs: upstreamHeadMs };
  return { ...same, isStream: stream, usage, timings } as unknown as ExchangeRecord;
}

/** What is read of it (docs/logs-and-traces.md). */
interface LogLine {
  readonly id: string;
  readonly status: number;
  readonly end: StreamOutcome | 'refused';
  readonly refusal: ErrorCode | null;
  readonly stream: boolean;
  readonly upstreamHeadMs: number | null;
  readonly tokens: Readonly<
    Record<'uncached' | 'cacheRead' | 'cacheWrite5m' | 'cacheWrite1h' | 'output', number>
  > | null;
}
