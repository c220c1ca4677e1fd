import { OPEN_BRACKET, QUOTE, walkElements } from '../../core/json-cursor.ts';
import type { Section } from '../../core/scanned-prompt.ts';
import { knownElements, knownSystemText, type IsSame, type KnownBody } from './known-elements.ts';
import { scanListed, scanMessage, scanOddElement, scanSystemText, type ScannedElement } from './scan-element.ts';

/** The walk over a prompt's lists, against a body that is known where there is one. */
export interface ListWalk {
  readonly bytes: Uint8Array;
  readonly known: { readonly body: KnownBody; readonly isSame: IsSame } | null;
  /** `isKnown`: it was taken over, not read. */
  onElement(section: Section, element: ScannedElement, isKnown: boolean): void;
}

/** Returns the offset behind the value, or `~offset` where the text stops being JSON. */
export function scanLists(walk: ListWalk, section: Section, start: number): number {
  const first = walk.bytes[start];
  if (first === OPEN_BRACKET) return scanList(walk, section, start);
  if (section === 'system' && first === QUOTE) return scanText(walk, start);
  return add(walk, section, scanOddElement(walk.bytes, start, section, 0, section));
}

function scanList(walk: ListWalk, section: Section, start: number): number {
  const { bytes, known } = walk;
  const knownList = known ? known.body.lists[section] : [];
  let index = 0;
  return walkElements(bytes, start, (at) => {
    if (known && index < knownList.length) {
      const taken = knownElements(bytes, at, known.body, knownList, index, known.isSame);
      for (const element of taken) walk.onElement(section, element, true);
      index += taken.length;
      const last = taken.at(-1);
      if (last) return last.end;
    }
    const element = section === 'messages' ? scanMessage(bytes, at, index) : scanListed(bytes, at, section, index);
    index++;
    return add(walk, section, element);
  });
}

function scanText(walk: ListWalk, start: number): number {
  const { bytes, known } = walk;
  const same = known ? knownSystemText(bytes, start, known.body, known.isSame) : null;
  if (same === null) return add(walk, 'system', scanSystemText(bytes, start));
  walk.onElement('system', same, true);
  return same.end;
}

function add(walk: ListWalk, section: Section, element: ScannedElement | number): number {
  if (typeof element === 'number') return element;
  walk.onElement(section, element, false);
  return element.end;
}
