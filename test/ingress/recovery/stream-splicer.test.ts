import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatenate } from '../../../src/core/bytes.ts';
import { split, splits } from '../../core/sse-streams.ts';
import { eventsIn, faultOf, textsOf, type StreamEvent } from '../../support/event-sequence.ts';
import {
  fixture,
  frame,
  join,
  partialOf,
  PING,
  record,
  stream,
  text,
  THINKING,
  TOOL_USE,
  type Part,
} from './streams.ts';

const decode = (sent: Uint8Array): string => new TextDecoder().decode(sent);
const bytes = (written: string): Uint8Array => new TextEncoder().encode(written);

/** What the caller has had of `text.sse` when it broke before `mark`, and the partial answer of that. */
function broken(name: string, mark: string) {
  const whole = decode(fixture(name));
  const { recorder, sent } = record([bytes(whole.slice(0, whole.indexOf(mark)))]);
  return { sent, partial: partialOf(recorder) };
}

const OPEN = broken('text', ', 😀');
const CLOSED = broken('text', 'event: message_delta');
const EMPTY = broken('text', 'Guten');

function joined(first: typeof OPEN, second: Uint8Array, untold = ''): { events: StreamEvent[]; sent: string } {
  const { splicer, sent } = join(first.partial, [second], untold);
  expect(splicer.ending).toBe('complete');
  return { events: eventsIn(concatenate([first.sent, sent])), sent: decode(sent) };
}

const kinds = (events: readonly StreamEvent[]): unknown[] =>
  events
    .filter(({ type }) => type === 'content_block_start')
    .map(({ data }) => (data['content_block'] as { type: string }).type);

const usageOf = (events: readonly StreamEvent[]): unknown =>
  events.findLast(({ type }) => type === 'message_delta')?.data['usage'];

const piece = fc.oneof(fc.constantFrom('word', ' ', '😀', 'é\n', '"{'), fc.string({ unit: 'grapheme', minLength: 1 }));
const textPart = fc.array(piece, { minLength: 1, maxLength: 4 }).map((deltas) => text(...deltas));
const otherPart = fc.constantFrom<Part>(THINKING, TOOL_USE, PING, { kind: 'unknown' });
const seconds = fc.array(fc.oneof(textPart, otherPart), { maxLength: 5 });
const textOf = (parts: readonly Part[]): string =>
  parts.map((part) => (part.kind === 'text' ? part.deltas.join('') : '')).join('');

describe('any break, any continuation, any split', () => {
  const sources = fc.constantFrom('text', 'thinking', 'error-inside', 'no-cache-fields');

  it('give one valid sequence with the texts behind each other and the usage of both', () => {
    let joins = 0;
    fc.assert(
      fc.property(sources, fc.nat(), seconds, splits, splits, (name, cut, parts, firstSplit, secondSplit) => {
        const whole = fixture(name);
        const { recorder, sent } = record(split(whole.subarray(0, cut % whole.length), firstSplit));
        const found = recorder.recoverable();
        if (found.kind === 'no') return;
        const second = join(found.partial, split(stream(parts), secondSplit));
        if (second.splicer.ending === 'impossible') {
          expect(found.partial.text.trim()).toBe(''); // only an empty block that would have to be closed
          return;
        }
        joins++;
        const events = eventsIn(concatenate([sent, second.sent]));
        expect(faultOf(events)).toBeNull();
        expect(textsOf(events).join('')).toBe(found.partial.text + textOf(parts));
        const { input_tokens: input, output_tokens: output } = found.partial.usage as Record<string, number>;
        expect(usageOf(events)).toMatchObject({ input_tokens: (input ?? 0) + 7, output_tokens: (output ?? 0) + 30 });
      }),
      { numRuns: 1000 },
    );
    expect(joins).toBeGreaterThan(200);
  });

  it('give the same bytes however the second stream is split', () => {
    fc.assert(
      fc.property(seconds, splits, fc.constantFrom(OPEN, CLOSED), (parts, places, first) => {
        const second = stream(parts);
        const [inPieces, atOnce] = [join(first.partial, split(second, places)), join(first.partial, [second])];
        expect(decode(inPieces.sent)).toBe(decode(atOnce.sent));
      }),
    );
  });

  it('keep the sequence a valid beginning when the second stream breaks too, and a third one ends it', () => {
    let joins = 0;
    fc.assert(
      fc.property(fc.nat(), textPart, textPart, fc.constantFrom(OPEN, EMPTY), (cut, one, other, first) => {
        const second = stream([one]);
        const half = join(first.partial, [second.subarray(0, cut % second.length)]);
        const found = half.splicer.recoverable();
        if (found.kind === 'no' || textOf([one, other]).trim() === '') return;
        const third = join(found.partial, [stream([other])]);
        if (third.splicer.ending !== 'complete') return;
        joins++;
        const events = eventsIn(concatenate([first.sent, half.sent, third.sent]));
        expect(faultOf(events)).toBeNull();
        expect(textsOf(events).join('')).toBe(found.partial.text + textOf([other]));
      }),
      { numRuns: 300 },
    );
    expect(joins).toBeGreaterThan(100);
  });
});

describe('the second stream’s blocks', () => {
  it('go on in the text that is open', () => {
    const { events } = joined(OPEN, stream([text(' and', ' closes at six.')]));
    expect(textsOf(events)).toEqual(['Guten Tag – the café opens at nine and closes at six.']);
    expect(faultOf(events)).toBeNull();
  });

  it('begin a text of their own where that one was closed', () => {
    const { events } = joined(CLOSED, stream([text('More.')]));
    expect(textsOf(events)).toEqual([CLOSED.partial.text, 'More.']);
  });

  it('leave no empty text behind where nothing was missing', () => {
    const { events } = joined(CLOSED, stream([text()]));
    expect(textsOf(events)).toEqual([CLOSED.partial.text]);
    expect(faultOf(events)).toBeNull();
  });

  it('are counted on, and close the open text when they are no text', () => {
    const { events } = joined(OPEN, stream([TOOL_USE, TOOL_USE], { stopReason: 'tool_use' }));
    expect(kinds(events)).toEqual(['text', 'tool_use', 'tool_use']);
    expect(faultOf(events)).toBeNull();
  });

  it('are left out where they are thinking, which is bound to a prompt the caller does not have', () => {
    const { events } = joined(OPEN, stream([THINKING, text(' more'), THINKING, TOOL_USE]));
    expect(kinds(events)).toEqual(['text', 'tool_use']);
    expect(faultOf(events)).toBeNull();
  });

  it('keep the bytes of their deltas but for the index', () => {
    const delta = `event: content_block_delta\r\ndata: {"delta" : {"text":"\\u00e9 ","type":"text_delta"},"n":1.0, "index":0,"type":"content_block_delta"}\r\n\r\n`; // prettier-ignore
    const odd = decode(stream([text('X')])).replace(/event: content_block_delta\n.*\n\n/, delta);
    expect(joined(OPEN, bytes(odd)).sent).toContain(delta);
    const thought = broken('thinking', 'event: content_block_delta\ndata: {"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"-two'); // prettier-ignore
    expect(joined(thought, bytes(odd)).sent).toContain(delta.replace('"index":0', '"index":2'));
  });

  it('come with pings and events nobody knows, untouched', () => {
    const { sent } = joined(OPEN, stream([PING, text(' a'), { kind: 'unknown' }, PING]));
    expect(sent.match(/event: ping\ndata: {"type":"ping"}\n\n/g)).toHaveLength(2);
    expect(sent).toContain(frame('weather_report', {}));
  });
});

describe('white space that the second call was not shown', () => {
  it.each([
    ['written again', ' \n', [' ', '\nnext'], 'next'],
    ['written again in one delta with more of it', '\n  ', ['\n    return'], '  return'],
    ['written again in part', '\n\n', ['\nnext'], 'next'],
    ['not written again', '\n\n', ['next'], 'next'],
    ['another than that', '\n\n', ['  next'], '  next'],
    ['elsewhere than at the beginning', ' ', ['next', ' one'], 'next one'],
  ] as const)('is taken out once where it is %s', (_what, untold, deltas, rest) => {
    const { events, sent } = joined(OPEN, stream([text(...deltas)]), untold);
    expect(textsOf(events).join('')).toBe(OPEN.partial.text + rest);
    expect(sent).not.toContain('"text":""');
  });

  it('is the answer’s own behind another block', () => {
    const { events } = joined(OPEN, stream([TOOL_USE, text(' next')]), ' ');
    expect(textsOf(events)).toEqual([OPEN.partial.text, ' next']);
  });
});

describe('usage', () => {
  const FIRST = {
    input_tokens: 12,
    cache_creation_input_tokens: 5406,
    cache_read_input_tokens: 18240,
    output_tokens: 1,
  };

  it('is the sum, also of what the second call told in its message_start only', () => {
    expect(usageOf(joined(OPEN, stream([text(' a')])).events)).toEqual({
      input_tokens: FIRST.input_tokens + 7,
      cache_creation_input_tokens: FIRST.cache_creation_input_tokens + 2,
      cache_read_input_tokens: FIRST.cache_read_input_tokens + 900,
      output_tokens: FIRST.output_tokens + 30,
    });
  });

  it('takes a later counter of the second call for an earlier one, and null for none', () => {
    const usage = { input_tokens: 9, cache_read_input_tokens: null, output_tokens: 5, server_tool_use: { web_search_requests: 1 } }; // prettier-ignore
    expect(usageOf(joined(OPEN, stream([text(' a')], { usage })).events)).toEqual({
      input_tokens: 12 + 9,
      cache_creation_input_tokens: 5406 + 2,
      cache_read_input_tokens: 18240 + 900,
      output_tokens: 1 + 5,
      server_tool_use: { web_search_requests: 1 },
    });
  });

  it('has no counter that neither call has', () => {
    const first = broken('no-cache-fields', 'event: content_block_stop');
    const plain = { startUsage: { input_tokens: 20, output_tokens: 0 }, usage: { output_tokens: 4 } };
    expect(usageOf(joined(first, stream([text(' a')], plain)).events)).toEqual({ input_tokens: 39, output_tokens: 4 });
  });

  it('is left out where the second call ends without it', () => {
    const second = decode(stream([text(' a')])).replace(',"usage":{"output_tokens":30}', '');
    expect(usageOf(joined(OPEN, bytes(second)).events)).toBeUndefined();
  });
});

describe('the splicer gives nothing more', () => {
  const start = decode(stream([])).split('\n\n')[0] + '\n\n';
  const said = (index: number) => frame('content_block_delta', { index, delta: { type: 'text_delta', text: 'x' } });
  const opened = (index: number) => frame('content_block_start', { index, content_block: { type: 'text', text: '' } });
  const END = frame('message_stop', {});

  it.each([
    ['a block before message_start', opened(0)],
    ['message_start twice', start + start],
    ['a delta of no block', start + said(0)],
    ['a delta of another block', start + opened(0) + said(1)],
    ['overlapping blocks', start + opened(0) + opened(1)],
    ['a block left open', start + opened(0) + frame('message_delta', { delta: { stop_reason: 'end_turn' } })],
    ['an end without a stop reason', start + END],
    [
      'content behind the stop reason',
      start + frame('message_delta', { delta: { stop_reason: 'end_turn' } }) + opened(0),
    ],
    ['a text that begins with its start', (start + opened(0)).replace('"text":""', '"text":"x"')],
    ['data that cannot be read', `${start}event: content_block_start\ndata: {"index"\n\n`],
    ['an event that never ends', `${start}event: content_block_delta\ndata: ${'x'.repeat(1_200_000)}`],
  ])('once there was %s', (_what, second) => {
    const { splicer } = join(OPEN.partial, [bytes(second)]);
    expect(splicer.ending).toBe('impossible');
    expect(splicer.push(bytes(frame('ping', {})))).toHaveLength(0);
  });

  it('where a text without a word would have to be closed: the API refuses such a block when it is sent back', () => {
    expect(join(EMPTY.partial, [stream([TOOL_USE])]).splicer.ending).toBe('impossible');
    expect(join(EMPTY.partial, [stream([text(' ')])]).splicer.ending).toBe('impossible');
    expect(join(EMPTY.partial, [stream([])]).splicer.ending).toBe('impossible');
  });

  it('to go on with, once the whole text is longer than is kept', () => {
    const { splicer } = join({ ...OPEN.partial, text: 'x'.repeat(1024 * 1024) }, [bytes(start + opened(0) + said(0))]);
    expect(splicer.ending).toBe('open');
    expect(splicer.recoverable()).toEqual({ kind: 'no', reason: 'too_long' });
  });

  it('behind message_stop', () => {
    const { splicer, sent } = join(OPEN.partial, [stream([text('a')]), stream([text('b')])]);
    expect(splicer.ending).toBe('complete');
    expect(decode(sent).endsWith(END)).toBe(true);
  });

  it('of an error but the event itself, for the case that no third call is made', () => {
    const error = frame('error', { error: { type: 'overloaded_error', message: 'Overloaded' } });
    const { splicer, sent } = join(OPEN.partial, [bytes(start + opened(0) + said(0) + error)]);
    expect(splicer.ending).toBe('error');
    expect(decode(splicer.heldError() ?? new Uint8Array())).toBe(error);
    expect(decode(sent)).not.toContain('error');
    expect(partialOf(splicer).text).toBe(`${OPEN.partial.text}x`);
    expect(partialOf(splicer).usage).toMatchObject({ input_tokens: 12 + 7, output_tokens: 2 });
  });
});
