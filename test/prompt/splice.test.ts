import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scanRequest } from '../../src/prompt/scan/scan.ts';
import type { Position, ScannedPrompt, Ttl } from '../../src/core/scanned-prompt.ts';
import { insertionsFor, splice } from '../../src/prompt/splice.ts';
import { renderedBodies } from './bodies.ts';

const encoder = new TextEncoder();
const parse = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes));

function scanned(bytes: Uint8Array): ScannedPrompt {
  const result = scanRequest(bytes);
  if (result.kind !== 'scanned') throw new Error(`not scanned: ${result.code}`);
  return result.prompt;
}

/** What marking means on the parsed body, done by path instead of by offset. */
function markParsed(body: Record<string, unknown>, position: Position, ttl: Ttl): void {
  const cacheControl = ttl === '1h' ? { type: 'ephemeral', ttl } : { type: 'ephemeral' };
  const holder =
    position.section === 'messages'
      ? ((body['messages'] as Record<string, unknown>[])[position.index] as Record<string, unknown>)
      : body;
  const key = position.section === 'messages' ? 'content' : position.section;
  if (position.form === 'string') {
    holder[key] = [{ type: 'text', text: holder[key], cache_control: cacheControl }];
    return;
  }
  const list = holder[key] as Record<string, unknown>[];
  const at = position.section === 'messages' ? position.block : position.index;
  (list[at] as Record<string, unknown>)['cache_control'] = cacheControl;
}

describe('splicing', () => {
  it('adds exactly the planned markers to any body, and taking them out gives the bytes back', () => {
    fc.assert(
      fc.property(renderedBodies, fc.array(fc.nat(), { maxLength: 4 }), fc.boolean(), ({ text }, picks, oneHour) => {
        const bytes = encoder.encode(text);
        const markable = scanned(bytes).positions.filter((position) => position.markable);
        const chosen = [...new Set(picks.map((pick) => markable[pick % Math.max(1, markable.length)]))].filter(
          (position) => position !== undefined,
        );
        const ttl: Ttl = oneHour ? '1h' : '5m';
        const insertions = chosen.flatMap((position) => [...insertionsFor(position, ttl)]);
        const result = splice(bytes, insertions);

        const expected = parse(bytes) as Record<string, unknown>;
        for (const position of chosen) markParsed(expected, position, ttl);
        expect(parse(result)).toStrictEqual(expected);

        expect(withoutInsertions(result, insertions)).toStrictEqual(bytes);
      }),
      { numRuns: 500 },
    );
  });

  it('leaves the hash of every position as it was: a marked prefix is the same prefix', () => {
    fc.assert(
      fc.property(renderedBodies, fc.nat(), ({ text }, pick) => {
        const bytes = encoder.encode(text);
        const before = scanned(bytes);
        const markable = before.positions.filter((position) => position.markable);
        const chosen = markable[pick % Math.max(1, markable.length)];
        if (!chosen) return;
        const after = scanned(splice(bytes, insertionsFor(chosen, '1h')));
        expect(after.positions.map(({ hash }) => hash)).toStrictEqual(before.positions.map(({ hash }) => hash));
        expect(after.callerMarkers).toBe(before.callerMarkers + 1);
      }),
      { numRuns: 300 },
    );
  });
});

function withoutInsertions(spliced: Uint8Array, insertions: readonly { at: number; bytes: Uint8Array }[]): Uint8Array {
  const kept: number[] = [];
  let from = 0;
  let added = 0;
  for (const { at, bytes } of insertions.toSorted((one, other) => one.at - other.at)) {
    kept.push(...spliced.subarray(from, at + added));
    expect(spliced.subarray(at + added, at + added + bytes.length)).toStrictEqual(bytes);
    added += bytes.length;
    from = at + added;
  }
  kept.push(...spliced.subarray(from));
  return Uint8Array.from(kept);
}
