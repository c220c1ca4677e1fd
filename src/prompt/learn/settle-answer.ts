/**
 * What the beginning of an answer, its usage, or its failure tells about the entries a request wrote and read. The mirror of
 * the cache follows the documented algorithm: a read refreshes every part it uses for its own TTL, counted from the start
 * of the request; a write stands on the entry that was read. Usage then has the last word on what was really there.
 */
import type { PlacementIndex } from './placement-index.ts';
import { slotAt, type SentRequest } from './observe.ts';
import { tokensTo, TTL_MS, type PromptView } from '../prompt-view.ts';
import { recordPromise } from './trust.ts';

/** The input side of an answer's usage. */
export interface AnswerUsage {
  readonly uncachedTokens: number;
  readonly readTokens: number;
  readonly writtenTokens: number;
}

/** Our token counts are estimates: within this share two counts are the same. */
const TOLERANCE = 0.05;

/** The answer has begun: what it wrote can be read from now on. Without usage, what was expected is believed. */
export function settleAnswer(index: PlacementIndex, sent: SentRequest, usage: AnswerUsage | null): void {
  forgetPending(index, sent);
  if (!usage) return commit(index, sent, sent.hitDepth);
  const scaled = scaleToView(sent.view, usage);
  const hitDepth = depthRead(index, sent, scaled.readTokens);
  learnPromises(index, sent, scaled.readTokens);
  forgetUnread(index, sent, hitDepth);
  const refused = usage.writtenTokens === 0 && usage.readTokens === 0;
  if (!refused) commit(index, sent, hitDepth);
}

/** No answer began: nothing was written. */
export function settleFailure(index: PlacementIndex, sent: SentRequest): void {
  forgetPending(index, sent);
}

function forgetPending(index: PlacementIndex, sent: SentRequest): void {
  for (const mark of sent.marks) {
    const slot = slotAt(index, sent.view, mark.at + 1);
    if (slot >= 0) index.positions.pendingUntilMs[slot] = Number.NEGATIVE_INFINITY;
  }
}

/** Usage counts real tokens, the view estimates them: the request's own total is the exchange rate. */
function scaleToView(view: PromptView, usage: AnswerUsage): AnswerUsage {
  const real = usage.uncachedTokens + usage.readTokens + usage.writtenTokens;
  const rate = real > 0 ? tokensTo(view, view.hashes.length) / real : 1;
  return {
    uncachedTokens: usage.uncachedTokens * rate,
    readTokens: usage.readTokens * rate,
    writtenTokens: usage.writtenTokens * rate,
  };
}

/** The depth whose prefix is as long as what was read: the expected one if it fits, else the closest. */
function depthRead(index: PlacementIndex, sent: SentRequest, readTokens: number): number {
  if (readTokens === 0) return 0;
  const fits = (depth: number) => Math.abs(tokensTo(sent.view, depth) - readTokens) <= TOLERANCE * readTokens;
  if (sent.hitDepth > 0 && fits(sent.hitDepth)) return sent.hitDepth;
  let closest = 0;
  for (let depth = 1; depth <= sent.view.hashes.length; depth++) {
    const better =
      Math.abs(tokensTo(sent.view, depth) - readTokens) < Math.abs(tokensTo(sent.view, closest) - readTokens);
    if (better && slotAt(index, sent.view, depth) >= 0) closest = depth;
  }
  return closest;
}

function learnPromises(index: PlacementIndex, sent: SentRequest, readTokens: number): void {
  const promised = tokensTo(sent.view, sent.hitDepth);
  if (promised > 0) recordPromise(index.trust, sent.view.key, readTokens / promised, sent.sentMs);
  const cautious = tokensTo(sent.view, sent.cautiousDepth);
  const prolonged = tokensTo(sent.view, sent.prolongedDepth);
  if (prolonged * (1 - TOLERANCE) <= cautious * (1 + TOLERANCE)) return;
  if (readTokens >= prolonged * (1 - TOLERANCE)) index.trust.prolong.kept++;
  else if (readTokens <= cautious * (1 + TOLERANCE)) index.trust.prolong.lost++;
}

/** What should have been read and was not is gone: evicted, in another domain, or never readable. */
function forgetUnread(index: PlacementIndex, sent: SentRequest, hitDepth: number): void {
  const table = index.positions;
  for (let depth = hitDepth + 1; depth <= sent.hitDepth; depth++) {
    const slot = slotAt(index, sent.view, depth);
    if (slot < 0) continue;
    table.untilMs[slot] = Number.NEGATIVE_INFINITY;
    table.prolongedUntilMs[slot] = Number.NEGATIVE_INFINITY;
  }
}

function commit(index: PlacementIndex, sent: SentRequest, hitDepth: number): void {
  const { view, rules } = sent;
  revive(index, sent, hitDepth);
  refreshChain(index, sent, hitDepth);
  let base = hitDepth;
  for (const mark of sent.marks) {
    const depth = mark.at + 1;
    if (tokensTo(view, depth) < rules.minimumTokens) continue;
    if (depth <= hitDepth) coverBelow(index, sent, depth, hitDepth);
    else {
      if (mark.ttl === '1h') prolongChain(index, sent, base);
      writeEntry(index, sent, depth, base, mark.ttl === '1h');
      base = depth;
    }
  }
}

/** An entry was read that we did not know to live: somebody else wrote it, for 5 minutes at least. */
function revive(index: PlacementIndex, sent: SentRequest, hitDepth: number): void {
  const slot = hitDepth > 0 ? slotAt(index, sent.view, hitDepth) : -1;
  const table = index.positions;
  if (slot < 0 || (hitDepth <= sent.hitDepth && (table.untilMs[slot] ?? 0) > sent.sentMs)) return;
  if ((table.prolongedUntilMs[slot] ?? 0) > sent.sentMs) return;
  table.baseDepth[slot] = 0;
  for (const [until, hour] of readings(index)) {
    hour[slot] = 0;
    until[slot] = sent.sentMs + TTL_MS['5m'];
  }
}

function readings({ positions: table }: PlacementIndex): [Float64Array, Uint8Array][] {
  return [
    [table.untilMs, table.hour],
    [table.prolongedUntilMs, table.prolongedHour],
  ];
}

function lifeMs(hour: number | undefined): number {
  return TTL_MS[hour === 1 ? '1h' : '5m'];
}

function refreshChain(index: PlacementIndex, sent: SentRequest, hitDepth: number): void {
  for (const slot of chainOf(index, sent, hitDepth)) {
    for (const [until, hour] of readings(index)) {
      if ((until[slot] ?? 0) > sent.sentMs) until[slot] = Math.max(until[slot] ?? 0, sent.sentMs + lifeMs(hour[slot]));
    }
  }
}

function prolongChain(index: PlacementIndex, sent: SentRequest, baseDepth: number): void {
  const table = index.positions;
  for (const slot of chainOf(index, sent, baseDepth)) {
    table.prolongedHour[slot] = 1;
    table.prolongedUntilMs[slot] = Math.max(table.prolongedUntilMs[slot] ?? 0, sent.sentMs + TTL_MS['1h']);
  }
}

/** Slots of the entry at this depth and of every entry it stands on. */
function chainOf(index: PlacementIndex, sent: SentRequest, depth: number): number[] {
  const slots: number[] = [];
  for (let at = depth; at > 0;) {
    const slot = slotAt(index, sent.view, at);
    if (slot < 0) break;
    slots.push(slot);
    const below = index.positions.baseDepth[slot] ?? 0;
    at = below < at ? below : 0;
  }
  return slots;
}

/** A marker below what was read leaves an entry for free; it lives as long as the part it lies in was paid for. */
function coverBelow(index: PlacementIndex, sent: SentRequest, depth: number, hitDepth: number): void {
  const slot = slotAt(index, sent.view, depth);
  const table = index.positions;
  const cover = chainOf(index, sent, hitDepth).find((entry) => (table.baseDepth[entry] ?? 0) < depth);
  if (slot < 0 || cover === undefined) return;
  const stands = (sent.live[depth] ?? 0) > 0;
  if (!stands) table.baseDepth[slot] = table.baseDepth[cover] ?? 0;
  for (const [until, hour] of readings(index)) {
    if (!stands) hour[slot] = hour[cover] ?? 0;
    const life = sent.sentMs + lifeMs(hour[slot]);
    until[slot] = stands ? Math.max(until[slot] ?? 0, life) : life;
  }
}

function writeEntry(index: PlacementIndex, sent: SentRequest, depth: number, base: number, forAnHour: boolean): void {
  const slot = slotAt(index, sent.view, depth);
  if (slot < 0) return;
  const table = index.positions;
  const stands = (sent.live[depth] ?? 0) > 0;
  if (!stands) table.baseDepth[slot] = base;
  for (const [until, hour] of readings(index)) {
    if (forAnHour) hour[slot] = 1;
    else if (!stands) hour[slot] = 0;
    const life = sent.sentMs + TTL_MS[forAnHour ? '1h' : '5m'];
    until[slot] = stands ? Math.max(until[slot] ?? 0, life) : life;
  }
}
