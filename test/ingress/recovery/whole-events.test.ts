import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatenate } from '../../../src/core/bytes.ts';
import { createWholeEvents, type WholeEvent } from '../../../src/ingress/recovery/whole-events.ts';
import { parseObject, textIn } from '../../../src/ingress/recovery/wire-object.ts';
import { readWholeStream, split, splits, streams } from '../../core/sse-streams.ts';

const decode = (bytes: Uint8Array): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);

function cut(pieces: readonly Uint8Array[]): { events: WholeEvent[]; rest: Uint8Array } {
  const reader = createWholeEvents();
  const events = pieces.flatMap((piece) => reader.push(piece));
  expect(reader.rest()).toHaveLength(reader.restBytes());
  return { events, rest: reader.rest() };
}

/** Whole lines, put together up to and with each that is empty. */
function plainCut(text: string): string[] {
  const lines = text.match(/[^\r\n]*(?:\r\n|\n|\r)/g) ?? [];
  const events: string[] = [];
  let event = '';
  for (const line of lines) {
    event += line;
    if (!/^[\r\n]/.test(line)) continue;
    events.push(event);
    event = '';
  }
  return events;
}

const typesAndData = (events: readonly WholeEvent[]) => events.map(({ type, data }) => ({ type, data }));

describe('whole events', () => {
  it('are the stream, cut behind each blank line', () => {
    fc.assert(
      fc.property(streams, (stream) => {
        const { events } = cut([stream]);
        expect(events.map(({ bytes }) => decode(bytes))).toEqual(plainCut(decode(stream)));
      }),
      { numRuns: 500 },
    );
  });

  it('with what is not whole yet are the very bytes, however they are split', () => {
    fc.assert(
      fc.property(streams, splits, (stream, places) => {
        const { events, rest } = cut(split(stream, places));
        expect(decode(concatenate([...events.map(({ bytes }) => bytes), rest]))).toBe(decode(stream));
      }),
    );
  });

  it('say what the plainest reader of the whole stream reads, however they are split', () => {
    fc.assert(
      fc.property(streams, splits, (stream, places) => {
        const plain = readWholeStream(stream, (type) => type !== 'ping').map(({ type, data }) => {
          const value = parseObject(data);
          return { type: type || (textIn(value, 'type') ?? ''), data: value };
        });
        const isTold = ({ type, data }: { type: string; data: unknown }) => type !== '' || data !== null;
        expect(typesAndData(cut(split(stream, places)).events).filter(isTold)).toEqual(plain.filter(isTold));
      }),
      { numRuns: 500 },
    );
  });

  it('are copied where they wait for their rest: Node may use the memory of a chunk again', () => {
    const reader = createWholeEvents();
    const chunk = Buffer.from('event: ping\nda');
    reader.push(chunk);
    chunk.fill(0);
    const [event] = reader.push(Buffer.from('ta: {}\n\n'));
    expect(decode(event?.bytes ?? new Uint8Array())).toBe('event: ping\ndata: {}\n\n');
  });

  it('without a name have the type that their data tell', () => {
    const { events } = cut([new TextEncoder().encode('data: {"type":"message_stop"}\n\n: comment\n\ndata: [1]\n\n')]);
    expect(typesAndData(events)).toEqual([
      { type: 'message_stop', data: { type: 'message_stop' } },
      { type: '', data: null },
      { type: '', data: null },
    ]);
  });
});
