import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createStreamMeter, type StreamMeter } from '../../src/core/stream-meter.ts';
import { NO_USAGE, type TokenUsage } from '../../src/core/usage.ts';
import { split, splits } from './sse-streams.ts';

/** Streams written by hand after the documented event shapes (docs: streaming, prompt caching, web search). */
const fixture = (name: string): Uint8Array => readFileSync(new URL(`../fixtures/${name}.sse`, import.meta.url));

function meterOf(...pieces: readonly (Uint8Array | string)[]): StreamMeter {
  const meter = createStreamMeter();
  for (const piece of pieces) meter.push(typeof piece === 'string' ? new TextEncoder().encode(piece) : piece);
  return meter;
}

/** What a meter knows, as a value. */
function factsOf({ usage, model, hasContent, ending, errorType, atBoundary }: StreamMeter) {
  return { usage, model, hasContent, ending, errorType, atBoundary };
}

const billed = { ...NO_USAGE, inferenceGeo: 'global', serviceTier: 'standard' };
const usages: Record<string, { model: string; usage: TokenUsage }> = {
  text: {
    model: 'claude-sonnet-5-5',
    usage: { ...billed, uncachedInput: 12, cacheRead: 18_240, cacheWrite5m: 1_310, cacheWrite1h: 4_096, output: 27 },
  },
  thinking: {
    model: 'claude-opus-5-5',
    usage: { ...billed, uncachedInput: 2_048, output: 913, inferenceGeo: 'us' },
  },
  'tool-use': {
    model: 'claude-opus-5',
    usage: { ...billed, uncachedInput: 404, cacheWrite5m: 6_020, output: 58, speed: 'fast' },
  },
  // 1,500 were written for 1 h before the loop; what the loop added to that, it wrote for 5 m.
  'server-tool-loop': {
    model: 'claude-sonnet-4-6',
    usage: {
      ...billed,
      uncachedInput: 10_682,
      cacheRead: 1_500,
      cacheWrite5m: 3_100,
      cacheWrite1h: 1_500,
      output: 510,
    },
  },
  refusal: { model: 'claude-fable-5-2', usage: { ...billed, uncachedInput: 88 } },
  'no-cache-fields': { model: 'qwen3-coder', usage: { ...NO_USAGE, uncachedInput: 19, output: 3 } },
};

it('a meter counts deltas, and the bytes behind the chunk in which content began', () => {
  const delta = 'event: content_block_delta\ndata: {"type":"content_block_delta"}\n\n';
  const meter = meterOf('event: message_start\ndata: {"type":"message_start"}\n\n', delta);
  expect([meter.deltas, meter.contentBytes]).toEqual([1, 0]);
  meter.push(new TextEncoder().encode(delta + delta));
  expect([meter.deltas, meter.contentBytes]).toEqual([3, 2 * delta.length]);
});

describe('createStreamMeter', () => {
  it.each(Object.entries(usages))(
    'reads usage and model off the whole stream "%s" and calls it complete',
    (name, of) => {
      const meter = meterOf(fixture(name));
      expect({ model: meter.model, usage: meter.usage }).toEqual(of);
      expect(meter.ending).toBe('complete');
      expect(meter.errorType).toBeNull();
      expect(meter.atBoundary).toBe(true);
    },
  );

  it('ends in error where an error event does, with what was known by then', () => {
    const meter = meterOf(fixture('error-inside'));
    expect(meter.ending).toBe('error');
    expect(meter.errorType).toBe('overloaded_error');
    expect(meter.usage).toEqual({ ...billed, uncachedInput: 31, output: 1 });
    expect(meter.hasContent).toBe(true);
  });

  it.each([...Object.keys(usages), 'error-inside'])('knows the same of "%s" however it is split', (name) => {
    const whole = factsOf(meterOf(fixture(name)));
    fc.assert(
      fc.property(splits, (places) => {
        expect(factsOf(meterOf(...split(fixture(name), places)))).toEqual(whole);
      }),
      { numRuns: 50 },
    );
  });

  it.each(Object.keys(usages))('calls no proper prefix of "%s" complete', (name) => {
    const stream = fixture(name);
    const meter = createStreamMeter();
    for (const at of stream.keys()) {
      expect(meter.ending).toBe('open');
      meter.push(stream.subarray(at, at + 1));
    }
    expect(meter.ending).toBe('complete');
  });

  it('knows nothing before message_start', () => {
    const { usage, model, hasContent } = meterOf('event: ping\ndata: {"type": "ping"}\n\n');
    expect({ usage, model, hasContent }).toEqual({ usage: NO_USAGE, model: null, hasContent: false });
  });

  it('has content from the first content_block_start on, not from message_start or a ping', () => {
    const [head = '', rest = ''] = new TextDecoder().decode(fixture('text')).split(/(?=event: content_block_start)/);
    const meter = meterOf(head, 'event: ping\ndata: {"type": "ping"}\n\n');
    expect(meter.hasContent).toBe(false);
    meter.push(new TextEncoder().encode(rest.slice(0, rest.indexOf('\n\n') + 2)));
    expect(meter.hasContent).toBe(true);
  });

  it('has no content in a refusal without output', () => {
    expect(meterOf(fixture('refusal')).hasContent).toBe(false);
  });

  it('reads the type from the data where events have no name', () => {
    const unnamed = new TextDecoder().decode(fixture('tool-use')).replaceAll(/event: .*\n/g, '');
    expect(factsOf(meterOf(unnamed))).toEqual(factsOf(meterOf(fixture('tool-use'))));
  });

  it('lets an error that follows message_stop count as an error', () => {
    const meter = meterOf(fixture('text'), fixture('error-inside'));
    expect(meter.ending).toBe('error');
  });

  it('does not let message_stop heal an error', () => {
    expect(meterOf(fixture('error-inside'), 'event: message_stop\ndata: {}\n\n').ending).toBe('error');
  });

  it.each([
    ['not JSON', 'oops'],
    ['nothing', ''],
    ['null', 'null'],
    ['an array', '[]'],
    ['a message of null', '{"message":null}'],
    ['a usage of text', '{"message":{"usage":"much"}}'],
    ['a model that is a number', '{"message":{"model":5}}'],
  ])('passes over a message_start whose data is %s', (_what, data) => {
    const { usage, model, ending } = meterOf(`event: message_start\ndata: ${data}\n\n`);
    expect({ usage, model, ending }).toEqual({ usage: NO_USAGE, model: null, ending: 'open' });
  });

  it('takes an error event for an error whatever its data says', () => {
    for (const data of ['oops', '{"error":null}', '{"error":{"type":7}}']) {
      const { ending, errorType } = meterOf(`event: error\ndata: ${data}\n\n`);
      expect({ ending, errorType }).toEqual({ ending: 'error', errorType: null });
    }
  });
});
