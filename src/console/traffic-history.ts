import type { Bucket, History } from './contract.ts';
import { endedAtMs, isError, type FinishedExchange } from './finished-exchange.ts';
import { createQuantileSketch } from './quantile-sketch.ts';
import { createTimeSlots } from './time-slots.ts';

/** The last half hour in slots of ten seconds, by when exchanges ended. */
export interface TrafficHistory {
  add(finished: FinishedExchange): void;
  /** Without gaps, from the moment on since when it is counted. */
  history(nowMs: number): History;
  /** The newest, still growing, and the one before it. */
  newest(nowMs: number): readonly Bucket[];
}

const BUCKET_MS = 10_000;
const BUCKETS = 180;

export function createTrafficHistory(sinceAtMs: number): TrafficHistory {
  const slots = createTimeSlots(BUCKET_MS, BUCKETS, newFigures);
  const firstAtMs = beginOf(sinceAtMs);
  const bucketsFrom = (fromMs: number, nowMs: number): Bucket[] => {
    const recent = new Map(slots.recent(nowMs).map(({ startAtMs, figures }) => [startAtMs, figures]));
    const buckets: Bucket[] = [];
    for (let startAtMs = Math.max(fromMs, firstAtMs); startAtMs <= nowMs; startAtMs += BUCKET_MS) {
      buckets.push(toBucket(startAtMs, recent.get(startAtMs) ?? newFigures()));
    }
    return buckets;
  };
  return {
    add(finished) {
      const figures = slots.at(endedAtMs(finished.story));
      if (figures) count(figures, finished);
    },
    history: (nowMs) => ({ bucketMs: BUCKET_MS, buckets: bucketsFrom(slots.oldestAtMs(nowMs), nowMs) }),
    newest: (nowMs) => bucketsFrom(beginOf(nowMs) - BUCKET_MS, nowMs),
  };
}

function beginOf(atMs: number): number {
  return Math.floor(atMs / BUCKET_MS) * BUCKET_MS;
}

type Figures = ReturnType<typeof newFigures>;

function newFigures() {
  return {
    requests: 0,
    errors: 0,
    retries: 0,
    inputTokens: 0,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    outputTokens: 0,
    costUsd: 0,
    savedUsd: 0,
    ttft: createQuantileSketch(),
    hitTtft: createQuantileSketch(),
    missTtft: createQuantileSketch(),
    queue: createQuantileSketch(),
  };
}

function count(figures: Figures, { story, queueMs }: FinishedExchange): void {
  figures.requests++;
  if (isError(story)) figures.errors++;
  figures.retries += Math.max(0, story.attempts - 1);
  const { tokens, ttftMs } = story;
  figures.inputTokens += story.inputTokens ?? 0;
  figures.cacheReadTokens += tokens?.cacheRead ?? 0;
  figures.cacheWriteTokens += tokens ? tokens.cacheWrite5m + tokens.cacheWrite1h : 0;
  figures.outputTokens += tokens?.output ?? 0;
  figures.costUsd += story.costUsd ?? 0;
  figures.savedUsd += story.savedUsd ?? 0;
  if (queueMs !== null) figures.queue.add(queueMs);
  if (ttftMs === null) return;
  figures.ttft.add(ttftMs);
  figures[story.cache === 'hit' ? 'hitTtft' : 'missTtft'].add(ttftMs);
}

function toBucket(startAtMs: number, { ttft, hitTtft, missTtft, queue, ...sums }: Figures): Bucket {
  return {
    startAtMs,
    ...sums,
    ttftP50Ms: ttft.quantile(0.5),
    ttftP95Ms: ttft.quantile(0.95),
    hitTtftP50Ms: hitTtft.quantile(0.5),
    missTtftP50Ms: missTtft.quantile(0.5),
    queueP95Ms: queue.quantile(0.95),
  };
}
