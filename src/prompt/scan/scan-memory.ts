import type { Clock } from '../../core/clock.ts';
import { hashBytes, hashPair, hashText } from '../content-hash.ts';
import type { IsSame, KnownBody } from './known-elements.ts';
import { scanRequest, type ScanResult } from './scan.ts';

/**
 * The bodies that were scanned last, to scan the next ones against: each turn of a conversation sends all those before it
 * once more, and most prompts of an app begin alike. A body is found again by marks along its bytes, each the hash of a few
 * bytes in every stride and of all marks before it; that these are the same bytes is for the scan to see.
 *
 * A tenant's bodies are compared with that tenant's only, so that nobody can learn from the time it takes what others send.
 * They are in the memory of this process and nowhere else: the last of them, up to `maxBytes`, and none that no request has
 * been like for five minutes by the time of the next.
 */
export interface ScanMemory {
  scan(tenantId: string, bytes: Uint8Array): ScanResult;
  /** About; bodies, and what was found in them. */
  readonly heldBytes: number;
}

export interface ScanMemoryOptions {
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly maxBytes: number;
  readonly isSame: IsSame;
}

/** A smaller body is read faster than it is found. */
const STRIDE_BYTES = 8 * 1024;
const SAMPLE_BYTES = 32;
/** As long as a prompt cache lasts by default. */
const IDLE_MS = 5 * 60_000;
/** What is found in a body takes more than its bytes where blocks are tiny, or messages empty (measured). */
const ELEMENT_BYTES = 300;
const POSITION_BYTES = 150;
/** One large upload must not push out everybody's conversations. */
const MAX_SHARE = 1 / 4;
/** Where this much of a body has come again, the new one takes its place: it is the same conversation, gone on. */
const SUCCESSOR_SHARE = 3 / 4;

interface HeldBody extends KnownBody {
  readonly tenantId: string;
  readonly marks: readonly number[];
  readonly heldBytes: number;
  usedAtMs: number;
}

export function createScanMemory({ clock, maxBytes, isSame }: ScanMemoryOptions): ScanMemory {
  /** Least recently used first. */
  const held = new Set<HeldBody>();
  const byMark = new Map<number, HeldBody>();
  let heldBytes = 0;

  const drop = (body: HeldBody): void => {
    if (!held.delete(body)) return;
    heldBytes -= body.heldBytes;
    for (const mark of body.marks) if (byMark.get(mark) === body) byMark.delete(mark);
  };
  const dropIdle = (nowMs: number): void => {
    for (const body of held) {
      if (nowMs - body.usedAtMs < IDLE_MS) return;
      drop(body);
    }
  };
  const hold = (body: HeldBody): void => {
    held.add(body);
    heldBytes += body.heldBytes;
    for (const mark of body.marks) byMark.set(mark, body);
    for (const oldest of held) {
      if (heldBytes <= maxBytes) return;
      drop(oldest);
    }
  };
  const find = (tenantId: string, marks: readonly number[]): HeldBody | null => {
    for (let at = marks.length - 1; at >= 0; at--) {
      const body = byMark.get(marks[at] as number);
      if (body?.tenantId === tenantId) return body;
    }
    return null;
  };
  const touch = (body: HeldBody, nowMs: number): void => {
    body.usedAtMs = nowMs;
    held.delete(body);
    held.add(body);
  };

  return {
    scan(tenantId, bytes) {
      const nowMs = clock.nowMs();
      dropIdle(nowMs);
      if (bytes.length < STRIDE_BYTES) return scanRequest(bytes);
      const marks = marksOf(tenantId, bytes);
      const like = find(tenantId, marks);
      const result = scanRequest(bytes, like && { body: like, isSame });
      if (result.kind === 'invalid' || result.lists === null) return result;
      const { lists, knownBytes } = result;
      const elements = lists.tools.length + lists.system.length + lists.messages.length;
      const size = bytes.length + elements * ELEMENT_BYTES + result.prompt.positions.length * POSITION_BYTES;
      const isTooLarge = size > maxBytes * MAX_SHARE;
      if (like && !isTooLarge && knownBytes >= like.bytes.length * SUCCESSOR_SHARE) drop(like);
      else if (like) touch(like, nowMs);
      if (!isTooLarge) hold({ tenantId, bytes, lists, marks, heldBytes: size, usedAtMs: nowMs });
      return result;
    },
    get heldBytes() {
      return heldBytes;
    },
  };
}

function marksOf(tenantId: string, bytes: Uint8Array): number[] {
  const marks: number[] = [];
  let mark = hashText(tenantId);
  for (let end = STRIDE_BYTES; end <= bytes.length; end += STRIDE_BYTES) {
    mark = hashPair(mark, hashBytes(bytes, end - SAMPLE_BYTES, end));
    marks.push(mark);
  }
  return marks;
}
