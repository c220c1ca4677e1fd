import type { AttemptNote, WaitNote } from '../core/exchange.ts';
import type { ExchangeRecord } from '../pipeline/exchange-record.ts';
import type { TimelineStep } from './contract.ts';
import { roundedMs } from './shown.ts';

/**
 * An exchange as one line of steps. Invariant: the steps that lie one behind the other begin at 0, end with the exchange
 * and leave nothing out, so that their durations add up to its own; what nothing else accounts for is the gateway's. Only
 * calls that go on with a stream that had begun lie beside them.
 */
export function timelineOf(record: ExchangeRecord): TimelineStep[] {
  const { receivedAtMs, endedAtMs, timings, attempts } = record;
  const contentAtMs = timings.firstContentAtMs ?? endedAtMs;
  const calls = attempts.map((attempt, call) => callStep(attempt, call, contentAtMs, endedAtMs));
  const goesOn = (step: Span): boolean => timings.firstContentAtMs !== null && step.fromMs >= contentAtMs;
  const waits = record.waits.map((note) => waitStep(note, contentAtMs)).filter(isWait);
  const known = [...calls.filter((step) => !goesOn(step)), ...waits];
  if (timings.firstContentAtMs !== null) known.push(span('stream', contentAtMs, endedAtMs));
  const steps = [...withoutGaps(known, receivedAtMs, endedAtMs), ...calls.filter(goesOn)];
  return steps
    .filter(isSeen)
    .map((step) => toStep(step, receivedAtMs))
    .sort((a, b) => a.atMs - b.atMs);
}

interface Span {
  readonly kind: TimelineStep['kind'];
  readonly call: number | null;
  readonly fromMs: number;
  readonly untilMs: number;
}

function span(kind: Span['kind'], fromMs: number, untilMs: number, call: number | null = null): Span {
  return { kind, call, fromMs, untilMs };
}

/** What brought the content ends with it, what went on with it ends with the exchange at the latest. */
function callStep({ sentAtMs, endedAtMs }: AttemptNote, call: number, contentAtMs: number, overAtMs: number): Span {
  const latestMs = sentAtMs < contentAtMs ? contentAtMs : overAtMs;
  return span('call', sentAtMs, Math.min(endedAtMs, latestMs), call);
}

/** A stream that goes on waits, too: that is a part of the stream. */
function waitStep({ kind, fromMs, untilMs }: WaitNote, contentAtMs: number): Span {
  return span(kind, fromMs, Math.min(untilMs ?? contentAtMs, contentAtMs));
}

/** In order, each where the one before has ended, and the gateway's own work between them. */
function withoutGaps(known: readonly Span[], fromMs: number, untilMs: number): Span[] {
  const steps: Span[] = [];
  let atMs = fromMs;
  for (const step of known.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const startMs = Math.max(atMs, step.fromMs);
    const endMs = Math.min(untilMs, step.untilMs);
    if (endMs <= startMs) continue;
    steps.push(span('gateway', atMs, startMs), { ...step, fromMs: startMs, untilMs: endMs });
    atMs = endMs;
  }
  return [...steps, span('gateway', atMs, untilMs)];
}

/** A slot that is free is had within microseconds: that is no wait. */
const SHORTEST_WAIT_MS = 0.1;

function isWait({ fromMs, untilMs }: Span): boolean {
  return untilMs - fromMs >= SHORTEST_WAIT_MS;
}

function isSeen({ fromMs, untilMs }: Span): boolean {
  return untilMs > fromMs;
}

function toStep({ kind, call, fromMs, untilMs }: Span, receivedAtMs: number): TimelineStep {
  return { kind, atMs: roundedMs(fromMs - receivedAtMs), durationMs: roundedMs(untilMs - fromMs), call };
}
