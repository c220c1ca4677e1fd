import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { createSseReader } from '../../src/core/sse.ts';
import { isBetweenEvents, readWholeStream, split, splits, streams, TYPES, type SseEvent } from './sse-streams.ts';

const MIB = 1024 * 1024;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function eventsOf(pieces: readonly Uint8Array[], wants: (type: string) => boolean = () => true): SseEvent[] {
  const events: SseEvent[] = [];
  const reader = createSseReader(wants, (type, data) => events.push({ type, data }));
  for (const piece of pieces) reader.push(piece);
  return events;
}

const wantedTypes = fc.subarray(['', ...TYPES]).map((types) => (type: string) => types.includes(type));

describe('createSseReader', () => {
  it('reads what the plainest reader of the whole text reads', () => {
    fc.assert(
      fc.property(streams, wantedTypes, (stream, wants) => {
        expect(eventsOf([stream], wants)).toEqual(readWholeStream(stream, wants));
      }),
      { numRuns: 1000 },
    );
  });

  it('gives the same events however the bytes are split', () => {
    fc.assert(
      fc.property(streams, splits, wantedTypes, (stream, places, wants) => {
        expect(eventsOf(split(stream, places), wants)).toEqual(eventsOf([stream], wants));
      }),
      { numRuns: 1000 },
    );
  });

  it('gives the same events byte by byte', () => {
    fc.assert(
      fc.property(streams, wantedTypes, (stream, wants) => {
        expect(eventsOf(split(stream, [...stream.keys()]), wants)).toEqual(eventsOf([stream], wants));
      }),
    );
  });

  it('is at a boundary exactly between events, at every byte', () => {
    fc.assert(
      fc.property(streams, (stream) => {
        const reader = createSseReader(
          () => true,
          () => {},
        );
        for (const at of stream.keys()) {
          reader.push(stream.subarray(at, at + 1));
          expect([at, reader.atBoundary]).toEqual([at, isBetweenEvents(stream.subarray(0, at + 1))]);
        }
      }),
    );
  });

  it.each([
    ['LF', 'event: a\ndata: 1\n\n', [{ type: 'a', data: '1' }]],
    ['CR LF', 'event: a\r\ndata: 1\r\n\r\n', [{ type: 'a', data: '1' }]],
    ['CR', 'event: a\rdata: 1\r\r', [{ type: 'a', data: '1' }]],
    ['no space behind the colon', 'event:a\ndata:1\n\n', [{ type: 'a', data: '1' }]],
    ['only the first of two spaces dropped', 'data:  1\n\n', [{ type: '', data: ' 1' }]],
    ['data in several lines', 'data: 1\ndata\ndata: 2\n\n', [{ type: '', data: '1\n\n2' }]],
    ['comments', ': ping\n\n: x\ndata: 1\n\n', [{ type: '', data: '1' }]],
    ['fields of no meaning here', 'id: 1\nretry: 5\nx: y\ndata: 1\n\n', [{ type: '', data: '1' }]],
    ['a mark at the start', '\uFEFFevent: a\ndata: 1\n\n', [{ type: 'a', data: '1' }]],
    ['a mark elsewhere is a letter', 'data: \uFEFF1\n\n', [{ type: '', data: '\uFEFF1' }]],
    ['an event without data', 'event: a\n\n', [{ type: 'a', data: '' }]],
    ['an event that is not finished', 'event: a\ndata: 1\n', []],
    ['a name does not last to the next event', 'event: a\n\ndata: 1\n\n', [{ type: 'a', data: '' }, { type: '', data: '1' }]], // prettier-ignore
  ])('reads %s', (_what, stream, events) => {
    expect(eventsOf([bytes(stream)])).toEqual(events);
    expect(eventsOf(split(bytes(stream), [...bytes(stream).keys()]))).toEqual(events);
  });

  it('never decodes data that nobody wants', () => {
    const decode = vi.spyOn(TextDecoder.prototype, 'decode');
    const stream = bytes(`event: content_block_delta\ndata: ${'x'.repeat(MIB)}\n\n`.repeat(3));
    const nobody = (): boolean => false;
    const events = [...eventsOf([stream], nobody), ...eventsOf(split(stream, [40, 1000, MIB, 2 * MIB]), nobody)];
    const decodedBytes = decode.mock.calls.reduce((sum, [input]) => sum + (input?.byteLength ?? 0), 0);
    decode.mockRestore();
    expect(events).toEqual(Array.from({ length: 6 }, () => ({ type: 'content_block_delta', data: '' })));
    expect(decodedBytes).toBeLessThan(1000);
  });

  describe('of an event beyond its bound', () => {
    const next = 'event: b\ndata: 2\n\n';
    const long = 'x'.repeat(5 * MIB);
    const places = Array.from({ length: 90 }, (_, index) => index * 64 * 1024);
    it.each([
      ['one line of data', `event: a\ndata: ${long}\n\n`, [{ type: 'a', data: '' }]],
      ['many lines of data', `event: a\n${`data: ${'x'.repeat(MIB)}\n`.repeat(5)}\n`, [{ type: 'a', data: '' }]],
      ['a comment', `: ${long}\n\n`, []],
      ['a field of no meaning', `${long}\n\n`, []],
      ['a name', `event: ${long}\ndata: 1\n\n`, [{ type: '', data: '1' }]],
    ])('reports %s without it and reads the next one', (_what, event, events) => {
      const expected = [...events, { type: 'b', data: '2' }];
      const stream = bytes(event + next);
      expect(eventsOf([stream])).toEqual(expected);
      expect(eventsOf(split(stream, places))).toEqual(expected);
    });

    it('is not at a boundary inside it', () => {
      const reader = createSseReader(
        () => false,
        () => {},
      );
      reader.push(bytes(`data: ${long}`));
      expect(reader.atBoundary).toBe(false);
      reader.push(bytes('\n'));
      expect(reader.atBoundary).toBe(false);
      reader.push(bytes('\n'));
      expect(reader.atBoundary).toBe(true);
    });
  });
});
