import { cacheResultOf } from '../core/cache-result.ts';
import type { AnswerProgress } from '../core/exchange.ts';
import type { LiveEntry } from '../pipeline/live-exchanges.ts';
import type { LiveExchange } from './contract.ts';
import { roundedMs, shownModel } from './shown.ts';

/** An exchange that runs, as it stands now: read off its notes, from which no text of it can be told. */
export function liveExchange({ timings, notes, ...entry }: LiveEntry, zeroWallMs: number): LiveExchange {
  const { firstContentAtMs } = timings;
  return {
    id: entry.id,
    tenant: entry.tenant,
    model: shownModel(entry.model),
    operation: entry.operation,
    startedAtMs: Math.round(zeroWallMs + entry.receivedAtMs),
    phase: phaseOf({ timings, notes }),
    upstream: notes.upstream,
    cache: firstContentAtMs !== null && notes.answer ? cacheResultOf(notes.answer.usage) : null,
    ttftMs: firstContentAtMs === null ? null : roundedMs(firstContentAtMs - entry.receivedAtMs),
    outputTokensEstimate: notes.answer ? outputTokensEstimate(notes.answer) : 0,
    attempts: notes.calls,
  };
}

/** Between two waits lie microseconds of the gateway's own: they belong to what comes next. */
function phaseOf({ timings, notes }: Pick<LiveEntry, 'timings' | 'notes'>): LiveExchange['phase'] {
  if (timings.firstContentAtMs !== null) return 'streaming';
  const wait = notes.waits.at(-1);
  if (wait?.untilMs === null) return wait.kind;
  return notes.calls === 0 ? 'queue' : 'upstream';
}

/** `event: content_block_delta` and the JSON around a delta's text. */
const DELTA_FRAME_BYTES = 113;
/** Of English text; code and other languages differ by a third either way. */
const BYTES_PER_TOKEN = 4;

/** A delta has at least one token, else it would not be there. */
function outputTokensEstimate({ deltas, contentBytes }: AnswerProgress): number {
  const textBytes = contentBytes - deltas * DELTA_FRAME_BYTES;
  return Math.max(deltas, Math.round(textBytes / BYTES_PER_TOKEN));
}
