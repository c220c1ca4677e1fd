import type { Section } from '../../core/scanned-prompt.ts';
import type { ScannedElement } from './scan-element.ts';

/**
 * A body that was scanned before, to be scanned against: where its elements stand again, byte for byte, in the same list at
 * the same index, what they add to the prompt is taken over instead of read. A conversation that goes on is mostly what it
 * was, and to compare bytes costs a hundredth of reading them.
 *
 * Invariant: what is taken over is what a scan of these bytes would find. An object ends where its bytes end, so that
 * nothing behind it can make it another one.
 */
export interface KnownBody {
  readonly bytes: Uint8Array;
  readonly lists: ScannedLists;
}

/** The elements of a prompt's lists, in their order. A system prompt that is a string is one. */
export type ScannedLists = Readonly<Record<Section, readonly ScannedElement[]>>;

/** Whether the same `length` bytes stand at both offsets. False where they would not all be within both. */
export type IsSame = (one: Uint8Array, oneAt: number, other: Uint8Array, otherAt: number, length: number) => boolean;

/** The elements from `index` on that stand at `at` with the same bytes between them, moved to where they stand here. */
export function knownElements(
  bytes: Uint8Array,
  at: number,
  known: KnownBody,
  list: readonly ScannedElement[],
  index: number,
  isSame: IsSame,
): readonly ScannedElement[] {
  const first = list[index];
  if (first === undefined) return [];
  const shift = at - first.start;
  const hold = (same: number, count: number): boolean => {
    const last = list[index + count - 1] as ScannedElement;
    if (!last.isListedObject) return false;
    const from = same === 0 ? first.start : (list[index + same - 1] as ScannedElement).end;
    return isSame(bytes, from + shift, known.bytes, from, last.end - from);
  };
  return list.slice(index, index + longest(list.length - index, hold)).map((element) => moved(element, shift));
}

/**
 * The largest count that `hold`s, found by doubling and then halving. It is told of how many that is known already, so that
 * what is the same is compared once.
 */
function longest(limit: number, hold: (same: number, count: number) => boolean): number {
  let same = 0;
  let tooMany = limit + 1;
  while (same + 1 < tooMany) {
    const next = tooMany > limit ? Math.min(Math.max(1, same * 2), limit) : (same + tooMany) >> 1;
    if (hold(same, next)) same = next;
    else tooMany = next;
  }
  return same;
}

/** The system prompt that is the same string at `at`, quotes included. */
export function knownSystemText(
  bytes: Uint8Array,
  at: number,
  { bytes: knownBytes, lists }: KnownBody,
  isSame: IsSame,
): ScannedElement | null {
  const element = lists.system[0];
  if (element?.positions[0]?.form !== 'string') return null;
  const { start, end } = element;
  return isSame(bytes, at, knownBytes, start, end - start) ? moved(element, at - start) : null;
}

function moved(element: ScannedElement, shift: number): ScannedElement {
  if (shift === 0) return element;
  const positions = element.positions.map((position) => ({
    ...position,
    start: position.start + shift,
    end: position.end + shift,
  }));
  return { ...element, start: element.start + shift, end: element.end + shift, positions };
}
