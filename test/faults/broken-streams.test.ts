import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  chunk,
  errorEvent,
  events,
  FIRST_CONTENT,
  fin,
  headOf,
  LAST_CHUNK,
  over,
  reset,
  sending,
  SSE_HEAD,
  SSE_TYPE,
  stay,
  stream,
  USAGE,
  WHOLE_STREAM,
  type End,
} from './answers.ts';
import { FINE, IDLE_MS, onStage, type FaultStage } from './fault-stage.ts';
import type { Plan } from './raw-upstream.ts';
import { HURRIED, SPENT_CALLS } from './retry-facts.ts';

/**
 * Streams that end, in every way and behind every event. Before the first content the call is made again; behind it the
 * caller gets every byte there was and sees that something is missing; and only a whole stream ends properly.
 */

interface Way {
  readonly name: string;
  /** What stands between the last whole event and the end. */
  readonly more: string;
  readonly end: End;
  /** `error.type` of the frame that the gateway adds; null within an event, where it may add none. */
  readonly frame: 'api_error' | 'timeout_error' | null;
}

const HALF_EVENT = 'event: content_block_delta\ndata: {"type":"content_bl';
const badChunk: End = (attempt) => attempt.write('zz\r\nwhat\r\n');
const negativeChunk: End = (attempt) => attempt.write('-5\r\nwhat\r\n');

const BREAKS: readonly Way[] = [
  { name: 'a reset', more: '', end: reset, frame: 'api_error' },
  { name: 'a FIN', more: '', end: fin, frame: 'api_error' },
  { name: 'its proper end', more: '', end: over, frame: 'api_error' },
  { name: 'a broken chunk', more: '', end: badChunk, frame: 'api_error' },
  { name: 'a chunk of a negative length', more: '', end: negativeChunk, frame: 'api_error' },
  { name: 'half an event and a reset', more: HALF_EVENT, end: reset, frame: null },
  { name: 'half an event and its proper end', more: HALF_EVENT, end: over, frame: null },
  { name: 'an event line and a FIN', more: 'event: ping\n', end: fin, frame: null },
];
const SILENCES: readonly Way[] = [
  { name: 'silence', more: '', end: stay, frame: 'timeout_error' },
  { name: 'half an event and silence', more: HALF_EVENT, end: stay, frame: null },
];

const AFTER = ['its head', 'message_start', 'content_block_start', 'the text', 'content_block_stop', 'message_delta'];

type Case = readonly [after: string, by: string, count: number, way: Way];

function cases(ways: readonly Way[], from: number, to: number): Case[] {
  return AFTER.slice(from, to).flatMap((after, at) => ways.map((way) => [after, way.name, from + at, way] as const));
}

function breaking(count: number, { more, end }: Omit<Way, 'name' | 'frame'>): Plan {
  const text = events(count) + more;
  return sending(text === '' ? SSE_HEAD : stream(text), end);
}

async function expectFine(stage: FaultStage): Promise<void> {
  const client = await stage.send();
  expect(await stage.seen(client)).toMatchObject({ status: 200, ending: 'whole', text: WHOLE_STREAM });
  expect(stage.upstream.attempts).toHaveLength(2);
  const { end, usage } = await stage.record(0);
  expect({ end, usage }).toMatchObject({
    end: 'complete',
    usage: { uncachedInput: USAGE.input, output: USAGE.output },
  });
}

const EARLY_BREAKS = cases(BREAKS, 0, FIRST_CONTENT);
const EARLY_SILENCES = cases(SILENCES, 0, FIRST_CONTENT);
const LATE_ENDS = cases([...BREAKS, ...SILENCES], FIRST_CONTENT, AFTER.length);

describe.concurrent('a stream that ends before its first content', () => {
  it.each(EARLY_BREAKS)('behind %s, by %s, is asked for again; its caller sees one whole stream', async (...one) => {
    const [, , count, way] = one;
    await onStage([breaking(count, way), FINE.stream], HURRIED, expectFine);
  });

  it.each(EARLY_BREAKS)('behind %s, by %s, every time, is a 502', async (_after, _by, count, way) => {
    await onStage([breaking(count, way)], HURRIED, async (stage) => {
      const client = await stage.send();
      const sight = await stage.seen(client);
      expect(sight).toMatchObject({ status: 502, ending: 'whole' });
      expect(sight.headers['x-should-retry']).toBe('false');
      expect(stage.upstream.attempts).toHaveLength(SPENT_CALLS);
      expect(await stage.record(0)).toMatchObject({ status: 502, refusal: 'upstream_broken' });
    });
  });

  it.each(EARLY_SILENCES)('behind %s, by %s, is a 504, and was paid for once', async (_after, _by, count, way) => {
    await onStage([breaking(count, way), FINE.stream], { idleMs: IDLE_MS }, async (stage) => {
      const client = await stage.send();
      expect(await stage.seen(client)).toMatchObject({ status: 504, ending: 'whole' });
      expect(stage.upstream.attempts).toHaveLength(1);
      expect(await stage.record(0)).toMatchObject({ status: 504, refusal: 'upstream_timeout' });
    });
  });
});

describe.concurrent('a stream that ends behind content', () => {
  it.each(LATE_ENDS)('behind %s, by %s, is cut where it ended', async (_after, _by, count, { more, end, frame }) => {
    const came = events(count) + more;
    const options = end === stay ? { idleMs: IDLE_MS } : {};
    await onStage([breaking(count, { more, end: stay }), FINE.stream], options, async (stage) => {
      const client = await stage.send();
      await client.body('what has come arrives', (text) => text === came);
      end(await stage.upstream.attempt(0));
      const sight = await stage.seen(client);
      expect(sight).toMatchObject({ status: 200, ending: 'cut' });
      expect(sight.text.startsWith(came)).toBe(true);
      expect(frameTypes(sight.text.slice(came.length))).toEqual(frame === null ? [] : [frame]);
      expect(stage.upstream.attempts).toHaveLength(1);
      const record = await stage.record(0);
      expect(record).toMatchObject({ status: 200, isStream: true, end: 'truncated' });
      expect(record.usage?.uncachedInput).toBe(USAGE.input);
    });
  });

  it.each([
    ['a reset', reset],
    ['a FIN', fin],
    ['a broken chunk', badChunk],
  ])('behind message_stop, by %s, is cut, for its transfer had no end', async (_name, end) => {
    await onStage([sending(stream(WHOLE_STREAM), stay), FINE.stream], {}, async (stage) => {
      const client = await stage.send();
      await client.body('all of it arrives', (text) => text === WHOLE_STREAM);
      end(await stage.upstream.attempt(0));
      expect(await stage.seen(client)).toMatchObject({ status: 200, ending: 'cut', text: WHOLE_STREAM });
      expect(await stage.record(0)).toMatchObject({ end: 'truncated', usage: { output: USAGE.output } });
      expect(stage.upstream.attempts).toHaveLength(1);
    });
  });
});

/** The `error.type` of each frame in `text`, which must be nothing but error frames of the gateway's own. */
function frameTypes(text: string): string[] {
  if (text === '') return [];
  return text.split(/(?<=\n\n)/).map((frame) => {
    const [, data = '{}'] = /^event: error\ndata: (.+)\n\n$/.exec(frame) ?? [];
    const { error, request_id: id } = JSON.parse(data) as { error?: { type: string }; request_id?: string };
    return id?.startsWith('slip_') ? (error?.type ?? 'none') : 'not the gateway’s';
  });
}

const ERROR_TYPES = ['overloaded_error', 'api_error', 'rate_limit_error'] as const;

const erring = (count: number, type: string, end: End): Plan => sending(stream(events(count) + errorEvent(type)), end);

function errorCases(from: number, to: number): (readonly [type: string, after: string, count: number])[] {
  return AFTER.slice(from, to).flatMap((after, at) => ERROR_TYPES.map((type) => [type, after, from + at] as const));
}

const EARLY_ERRORS = errorCases(0, FIRST_CONTENT);
const LATE_ERRORS = errorCases(FIRST_CONTENT, AFTER.length);

describe.concurrent('an error event in a 200', () => {
  it.each(EARLY_ERRORS)('%s behind %s is asked again, and the caller sees nothing of it', async (type, _a, count) => {
    await onStage([erring(count, type, over), FINE.stream], HURRIED, expectFine);
  });

  it.each(EARLY_ERRORS)('%s behind %s, every time, reaches the caller, and as final', async (type, _after, count) => {
    await onStage([erring(count, type, over)], HURRIED, async (stage) => {
      const client = await stage.send();
      const sight = await stage.seen(client);
      expect(sight).toMatchObject({ status: 200, ending: 'whole', text: events(count) + errorEvent(type) });
      expect(sight.headers['x-should-retry']).toBe('false');
      expect(stage.upstream.attempts).toHaveLength(SPENT_CALLS);
      expect(await stage.record(0)).toMatchObject({ status: 200, end: 'upstream_error' });
    });
  });

  it.each(LATE_ERRORS)('%s behind %s reaches the caller as it is, and is no success', async (type, _after, count) => {
    await onStage([erring(count, type, over), FINE.stream], {}, async (stage) => {
      const client = await stage.send();
      const text = events(count) + errorEvent(type);
      expect(await stage.seen(client)).toMatchObject({ status: 200, ending: 'whole', text });
      expect(stage.upstream.attempts).toHaveLength(1);
      expect(await stage.record(0)).toMatchObject({ status: 200, end: 'upstream_error' });
    });
  });

  it.each([
    ['FIN', fin],
    ['reset', reset],
  ])('behind the text, with a %s behind it, is cut and has no second one added', async (_how, end) => {
    const text = events(3) + errorEvent();
    await onStage([erring(3, 'overloaded_error', stay), FINE.stream], {}, async (stage) => {
      const client = await stage.send();
      await client.body('the error arrives', (body) => body === text);
      end(await stage.upstream.attempt(0));
      expect(await stage.seen(client)).toMatchObject({ status: 200, ending: 'cut', text });
      expect(await stage.record(0)).toMatchObject({ end: 'upstream_error' });
    });
  });

  it.each([
    ['FIN', fin],
    ['reset', reset],
  ])('behind message_start, with a %s behind it, is asked again', async (_how, end) => {
    await onStage([erring(1, 'overloaded_error', end), FINE.stream], HURRIED, expectFine);
  });
});

describe.concurrent('a stream with a content-length', () => {
  const lengthy = (bytes: number): Plan =>
    sending(headOf(200, { ...SSE_TYPE, 'content-length': String(bytes) }) + WHOLE_STREAM, fin);

  it('that is too long is cut, though all events have come', async () => {
    await onStage([lengthy(WHOLE_STREAM.length + 1)], {}, async (stage) => {
      const client = await stage.send();
      expect(await stage.seen(client)).toMatchObject({ status: 200, ending: 'cut', text: WHOLE_STREAM });
      expect(await stage.record(0)).toMatchObject({ end: 'truncated' });
    });
  });

  it.each([
    ['within message_stop', 5],
    ['within the text', WHOLE_STREAM.length - events(3).length + 10],
  ])('that ends %s is cut there', async (_where, missingBytes) => {
    await onStage([lengthy(WHOLE_STREAM.length - missingBytes)], {}, async (stage) => {
      const client = await stage.send();
      const text = WHOLE_STREAM.slice(0, -missingBytes);
      expect(await stage.seen(client)).toMatchObject({ status: 200, ending: 'cut', text });
      expect(await stage.record(0)).toMatchObject({ end: 'truncated' });
    });
  });

  it('that ends before the first content is asked for again', async () => {
    await onStage([lengthy(events(1).length), FINE.stream], HURRIED, expectFine);
  });
});

describe.concurrent('a compressed stream', () => {
  const HEAD = headOf(200, { ...SSE_TYPE, 'content-encoding': 'gzip', 'transfer-encoding': 'chunked' });
  const zipped = gzipSync(WHOLE_STREAM);
  const compressed = (bytes: Uint8Array, end: End): Plan =>
    sending(Buffer.concat([Buffer.from(HEAD), chunk(bytes)]), end);

  it.each([
    ['cut in its header, by a reset', compressed(zipped.subarray(0, 5), reset)],
    ['cut in its header, by its proper end', compressed(zipped.subarray(0, 5), over)],
    ['no gzip at all', compressed(Buffer.from(WHOLE_STREAM), over)],
    ['wrong in its check sum, in one packet', compressed(withWrongSum(zipped), over)],
    ['empty', sending(HEAD + LAST_CHUNK, stay)],
  ])('that is %s is asked for again', async (_name, plan) => {
    await onStage([plan, FINE.stream], HURRIED, async (stage) => {
      await expectFine(stage);
      stage.upstream.attempts[0]?.end();
    });
  });

  it('whose last bytes are missing is cut, whatever of it could be read', async () => {
    await onStage([compressed(zipped.subarray(0, -6), over), FINE.stream], {}, async (stage) => {
      const client = await stage.send();
      const sight = await stage.seen(client);
      expect(sight).toMatchObject({ status: 200, ending: 'cut' });
      expect(WHOLE_STREAM.startsWith(sight.text)).toBe(true);
      expect(await stage.record(0)).toMatchObject({ end: 'truncated' });
    });
  });
});

function withWrongSum(zipped: Buffer): Buffer {
  const wrong = Buffer.from(zipped);
  wrong.writeUInt32LE(0, wrong.length - 8);
  return wrong;
}
