import type { LiveExchange } from '../../contract.ts';

/** Too short a time to tell a speed from. */
const SHORTEST_MS = 500;

/** Output tokens a second since the first content; null while that cannot be told. */
export function tokensPerSecond(
  { startedAtMs, ttftMs, outputTokensEstimate, phase }: LiveExchange,
  nowMs: number,
): number | null {
  if (phase !== 'streaming' || ttftMs === null) return null;
  const streamingMs = nowMs - startedAtMs - ttftMs;
  return streamingMs < SHORTEST_MS ? null : (outputTokensEstimate * 1000) / streamingMs;
}
