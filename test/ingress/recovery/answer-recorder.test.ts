import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatenate } from '../../../src/core/bytes.ts';
import { createAnswerRecorder } from '../../../src/ingress/recovery/answer-recorder.ts';
import { split, splits } from '../../core/sse-streams.ts';
import { eventsIn } from '../../support/event-sequence.ts';
import { FIXTURES, fixture, frame, partialOf, record, stream, text, THINKING, TOOL_USE } from './streams.ts';

const bytes = (written: string): Uint8Array => new TextEncoder().encode(written);
const written = (sent: Uint8Array): string => new TextDecoder().decode(sent);

/** The stream up to the first event that has `mark` in it, or with that event. */
function upTo(whole: Uint8Array, mark: string, withIt = false): Uint8Array {
  const frames = written(whole).split('\n\n');
  const at = frames.findIndex((one) => one.includes(mark));
  return bytes(frames.slice(0, withIt ? at + 1 : at).join('\n\n') + '\n\n');
}

const reasonOf = (whole: Uint8Array) => {
  const found = record([whole]).recorder.recoverable();
  return found.kind === 'no' ? found.reason : 'recoverable';
};

const lineEnds = fc.constantFrom('\n', '\r\n', '\r');
const whole = fc
  .tuple(fc.constantFrom(...FIXTURES), lineEnds)
  .map(([name, lineEnd]) => bytes(written(fixture(name)).replaceAll('\n', lineEnd)));

describe('what an answer recorder lets pass', () => {
  it('is the stream itself, byte for byte, but for an error that is held', () => {
    fc.assert(
      fc.property(whole, splits, (stream, places) => {
        const { recorder, sent } = record(split(stream, places));
        expect(written(concatenate([sent, recorder.heldError() ?? new Uint8Array()]))).toBe(written(stream));
      }),
    );
  });

  it('ends between two events wherever the stream breaks while it is recoverable', () => {
    fc.assert(
      fc.property(whole, fc.nat(), splits, (stream, at, places) => {
        const { recorder, sent } = record(split(stream.subarray(0, at % stream.length), places));
        if (recorder.recoverable().kind === 'yes') expect(() => eventsIn(sent)).not.toThrow();
        expect(written(stream).startsWith(written(sent))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('is as much as has come when no event is cut', () => {
    const { sent } = record(split(fixture('text'), [700]));
    expect(written(sent)).toBe(written(fixture('text')));
  });

  it('is everything at once as soon as nothing can be joined any more', () => {
    const half = bytes('event: content_block_delta\ndata: {"type":"content_blo');
    const { recorder, sent } = record([upTo(fixture('tool-use'), 'toolu_01', true), half]);
    expect(recorder.recoverable()).toEqual({ kind: 'no', reason: 'tool_use' });
    expect(written(sent).endsWith(written(half))).toBe(true);
  });

  it('is never more than a MiB behind', () => {
    const recorder = createAnswerRecorder();
    const half = bytes(`event: x\ndata: ${'x'.repeat(600 * 1024)}`);
    const lengths = [half, half.slice(20), half.slice(20)].map((piece) => recorder.push(piece).length);
    expect(lengths).toEqual([0, half.length * 2 - 20, half.length - 20]);
    expect(recorder.recoverable()).toEqual({ kind: 'no', reason: 'too_long' });
  });
});

describe('a partial answer', () => {
  it('has the text and the usage that have left, and the block that is open', () => {
    const { recorder } = record([upTo(fixture('text'), '😀')]);
    expect(partialOf(recorder)).toMatchObject({
      model: 'claude-sonnet-5-5',
      text: 'Guten Tag – the café opens at nine',
      openIndex: 0,
      nextIndex: 1,
      usage: { input_tokens: 12, cache_read_input_tokens: 18240, output_tokens: 1 },
    });
  });

  it('has no half of a character: the event it broke in has not left', () => {
    const at = fixture('text').indexOf(0xf0); // the first byte of 😀
    const { recorder } = record([fixture('text').subarray(0, at + 2)]);
    expect(partialOf(recorder).text).toBe('Guten Tag – the café opens at nine');
  });

  it('has a closed text where the break is behind it', () => {
    const { recorder } = record([upTo(fixture('text'), 'message_delta')]);
    expect(partialOf(recorder)).toMatchObject({
      openIndex: null,
      nextIndex: 1,
      text: expect.stringMatching(/ever\.$/),
    });
  });

  it('may have whole thinking before its text', () => {
    const { recorder } = record([upTo(fixture('thinking'), '-two')]);
    expect(partialOf(recorder)).toMatchObject({ text: 'Forty', openIndex: 2, nextIndex: 3 });
  });

  it('may have no text yet in a block that has begun', () => {
    const { recorder } = record([upTo(fixture('text'), 'Guten')]);
    expect(partialOf(recorder)).toMatchObject({ text: '', openIndex: 0 });
  });

  it('is what it was before an error event, which is held for the case that nothing is joined', () => {
    const { recorder, sent } = record([fixture('error-inside')]);
    expect(partialOf(recorder).text).toBe('The first of');
    expect(written(sent)).not.toContain('overloaded_error');
    expect(written(recorder.heldError() ?? new Uint8Array())).toContain('overloaded_error');
  });

  it('stands where it stood before the error, whatever comes behind that', () => {
    const ping = frame('ping', {});
    const { recorder, sent } = record([fixture('error-inside'), bytes(ping)]);
    expect(written(sent)).not.toContain('ping');
    expect(written(recorder.heldError() ?? new Uint8Array()).endsWith(ping)).toBe(true);
  });

  it('is read from events without names too', () => {
    const nameless = written(upTo(fixture('text'), '😀')).replaceAll(/event: .*\n/g, '');
    expect(partialOf(record([bytes(nameless)]).recorder).text).toBe('Guten Tag – the café opens at nine');
  });
});

describe('not recoverable is an answer', () => {
  const start = frame('message_start', { message: { model: 'claude-opus-5', usage: {} } });
  const opened = (block: object, index = 0) => frame('content_block_start', { index, content_block: block });
  const said = (delta: object, index = 0) => frame('content_block_delta', { index, delta });
  const openText = opened({ type: 'text', text: '' });

  it.each([
    ['of which nothing has come', bytes(''), 'no_text'],
    ['without content', upTo(fixture('text'), 'content_block'), 'no_text'],
    ['that has only thought', upTo(fixture('thinking'), '"index":2'), 'no_text'],
    ['that breaks inside thinking', upTo(fixture('thinking'), 'signature_delta'), 'inside_thinking'],
    ['that breaks inside a tool call', upTo(fixture('tool-use'), ' Francisco'), 'tool_use'],
    ['with a whole tool call', upTo(fixture('tool-use'), 'message_delta'), 'tool_use'],
    ['with a call to a server tool', upTo(fixture('server-tool-loop'), 'tides in Brest'), 'tool_use'],
    ['with a server tool’s result', bytes(start + opened({ type: 'web_search_tool_result' })), 'other_block'],
    ['with a block nobody knows', bytes(start + opened({ type: 'hologram' })), 'other_block'],
    ['with a delta nobody knows', bytes(start + openText + said({ type: 'hologram_delta' })), 'other_block'],
    ['with citations', bytes(start + openText + said({ type: 'citations_delta', citation: {} })), 'citations'],
    ['that announces citations', bytes(start + opened({ type: 'text', text: '', citations: [] })), 'citations'],
    ['with two texts', upTo(stream([text('a'), text('b')]), 'message_delta'), 'several_texts'],
    ['that thinks after its text', upTo(stream([text('a'), THINKING]), 'message_delta'), 'thinking_after_text'],
    ['that lacks only message_stop', upTo(fixture('text'), 'message_stop'), 'answer_complete'],
    ['that is whole', fixture('text'), 'answer_complete'],
    ['that was refused', upTo(fixture('refusal'), 'message_stop'), 'answer_complete'],
    ['with a second message_start', bytes(start + start), 'not_understood'],
    ['whose blocks overlap', bytes(start + openText + opened({ type: 'text', text: '' }, 1)), 'not_understood'],
    ['whose delta is of another block', bytes(start + openText + said({ type: 'text_delta' }, 3)), 'not_understood'],
    ['with a block before its start', bytes(openText), 'not_understood'],
    ['with data that cannot be read', bytes('event: content_block_start\ndata: {"index"\n\n'), 'not_understood'],
    ['with more than a MiB of text', stream([text('x'.repeat(700_000), 'x'.repeat(700_000))]), 'too_long'],
  ] as const)('%s', (_what, broken, reason) => {
    expect(reasonOf(broken)).toBe(reason);
  });

  it('and stays so, whatever comes', () => {
    const { recorder } = record([stream([TOOL_USE]), fixture('text')]);
    expect(recorder.recoverable()).toEqual({ kind: 'no', reason: 'tool_use' });
  });
});
