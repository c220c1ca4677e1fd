import { beforeEach, describe, expect, it } from 'vitest';
import { ABORTED, BROKEN, ENDED, MEBIBYTE, useRelay } from './relay-under-test.ts';

/** Batches, files and lists of them: kept until they are whole and something else is done, or until they are no such thing. */

const exchange = useRelay();
const { head, chunk, finish, renew } = exchange;

const JSON_TYPE = { 'content-type': 'application/json' };
let edited: string[];

beforeEach(() => {
  edited = [];
  renew({
    request: { operation: 'files' },
    editAnswer: async (body) => {
      edited.push(new TextDecoder().decode(body));
      return new TextEncoder().encode('"another"');
    },
  });
});

describe('an object', () => {
  it('that comes in pieces is edited when it is whole, once, and sent with the length that it then has', async () => {
    head(200, { ...JSON_TYPE, 'content-length': '4' });
    chunk('{"');
    chunk('a}');
    expect(edited).toEqual([]);
    expect(await finish(ENDED)).toMatchObject({ kind: 'answered', status: 200, end: 'complete' });
    expect(edited).toEqual(['{"a}']);
    expect(exchange.reply).toMatchObject({ text: '"another"', ending: 'ended' });
    expect(exchange.reply.head?.headers).toMatchObject({ 'content-length': '9' });
  });

  it.each([
    ['breaks off', BROKEN, 'refused'],
    ['is not read to its end because its caller left', ABORTED, 'abandoned'],
  ] as const)('that %s is neither edited nor sent', async (_how, end, kind) => {
    head(200, JSON_TYPE);
    chunk('{"id":"f1"}');
    expect((await finish(end)).kind).toBe(kind);
    expect(edited).toEqual([]);
    expect(exchange.reply.isOpen).toBe(false);
  });

  it('that is longer than any of the API’s is sent as it comes', async () => {
    head(200, JSON_TYPE);
    const half = 'x'.repeat(8 * MEBIBYTE);
    chunk(half);
    chunk(half);
    expect(exchange.reply.isOpen).toBe(false);
    chunk('y');
    expect(exchange.reply.text.length).toBe(2 * half.length + 1);
    expect(await finish(ENDED)).toMatchObject({ kind: 'answered', end: 'complete' });
    expect([edited, exchange.reply.text.length]).toEqual([[], 2 * half.length + 1]);
  });

  it('in an encoding that nobody here reads passes as it is', async () => {
    head(200, { ...JSON_TYPE, 'content-encoding': 'later' });
    chunk('{"id":"f1"}');
    await finish(ENDED);
    expect([edited, exchange.reply.text]).toEqual([[], '{"id":"f1"}']);
  });
});
