import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import {
  answering,
  chunk,
  fin,
  headOf,
  JSON_ANSWER,
  JSON_HEAD,
  LAST_CHUNK,
  lastly,
  reset,
  sending,
  stay,
  USAGE,
  withLength,
} from './answers.ts';
import { asking, DEADLINE_MS, FINE, IDLE_MS, onStage, type FaultStage } from './fault-stage.ts';
import type { Plan, RawAttempt } from './raw-upstream.ts';
import { HURRIED, SPENT_CALLS } from './retry-facts.ts';

/** Messages in one piece that are not. Nobody can use half of one: it is asked for again, or is an error. */

const HALF = JSON_ANSWER.slice(0, JSON_ANSWER.length / 2);
const headOfLength = (length: number, more: Readonly<Record<string, string>> = {}): string =>
  headOf(200, { 'content-type': 'application/json', 'content-length': String(length), ...more });
const GZIP = { 'content-encoding': 'gzip' };
const zipped = gzipSync(JSON_ANSWER);

type Broken = readonly [name: string, pieces: readonly (string | Buffer)[], end: (attempt: RawAttempt) => void];

const BROKEN: readonly Broken[] = [
  ['without a byte of its body, by a reset', [headOfLength(500)], reset],
  ['without a byte of its body, by a FIN', [headOfLength(500)], fin],
  ['at half of its length, by a reset', [headOfLength(JSON_ANSWER.length), HALF], reset],
  ['at half of its length, by a FIN', [headOfLength(JSON_ANSWER.length), HALF], fin],
  ['one byte short of its length', [headOfLength(JSON_ANSWER.length + 1), JSON_ANSWER], fin],
  ['between chunks, by a reset', [JSON_HEAD, chunk(HALF)], reset],
  ['between chunks, by a FIN', [JSON_HEAD, chunk(HALF)], fin],
  ['within a chunk', [JSON_HEAD, chunk(JSON_ANSWER).subarray(0, 40)], fin],
  ['at a chunk that is none', [JSON_HEAD, chunk(HALF)], lastly('zz\r\nwhat\r\n')],
  ['without its last chunk', [JSON_HEAD, chunk(JSON_ANSWER)], fin],
  ['within its gzip', [headOfLength(zipped.length, GZIP), zipped.subarray(0, 30)], reset],
  ['within its gzip, which ends properly', [headOfLength(30, GZIP), zipped.subarray(0, 30)], lastly('')],
  ['at gzip that is none', [headOfLength(HALF.length, GZIP), HALF], lastly('')],
  ['at gzip that is none and goes on for ever', [headOfLength(2 ** 40, GZIP), 'x'.repeat(500_000)], stay],
];

const breaking = ([, pieces, end]: Broken): Plan =>
  sending(Buffer.concat(pieces.map((piece) => Buffer.from(piece))), end);

async function expectFine(stage: FaultStage, calls: number): Promise<void> {
  const client = await stage.send(asking('json'));
  expect(await stage.seen(client)).toMatchObject({ status: 200, ending: 'whole', text: JSON_ANSWER });
  expect(stage.upstream.attempts).toHaveLength(calls);
  expect(await stage.record(0)).toMatchObject({ end: 'complete', usage: { output: USAGE.output } });
}

describe.concurrent('a message that breaks off', () => {
  it.each(BROKEN)('%s, is asked for again, and the caller sees nothing of it', async (...broken) => {
    await onStage([breaking(broken), FINE.json], HURRIED, (stage) => expectFine(stage, 2));
  });

  it.each(BROKEN)('%s, every time, is a 502', async (...broken) => {
    await onStage([breaking(broken)], HURRIED, async (stage) => {
      const client = await stage.send(asking('json'));
      const sight = await stage.seen(client);
      expect(sight).toMatchObject({ status: 502, ending: 'whole' });
      expect(sight.headers['x-should-retry']).toBe('false');
      expect(stage.upstream.attempts).toHaveLength(SPENT_CALLS);
      expect(await stage.record(0)).toMatchObject({ status: 502, refusal: 'upstream_broken', isStream: false });
      expect(client.ending).toBe('open');
    });
  });

  it.each([
    ['its head', [JSON_HEAD]],
    ['its first half', [JSON_HEAD, chunk(HALF)]],
  ])('by silence behind %s, is a 504, and was paid for once', async (_name, pieces) => {
    const plan = sending(Buffer.concat(pieces.map((piece) => Buffer.from(piece))), stay);
    await onStage([plan, FINE.json], { idleMs: IDLE_MS }, async (stage) => {
      const client = await stage.send(asking('json'));
      expect(await stage.seen(client)).toMatchObject({ status: 504, ending: 'whole' });
      expect(stage.upstream.attempts).toHaveLength(1);
      expect(await stage.record(0)).toMatchObject({ refusal: 'upstream_timeout' });
    });
  });
});

const BOMB_BYTES = 64 * 1024 * 1024;

describe.concurrent('a message longer than what is kept', () => {
  const LONG = `{"type":"message","x":"${'x'.repeat(1024 * 1024)}`;

  it.each([
    ['a reset', reset, {}],
    ['a FIN', fin, {}],
    ['a chunk that is none', (attempt: RawAttempt) => attempt.write('zz\r\n'), {}],
    ['silence', stay, { idleMs: IDLE_MS }],
  ] as const)('that breaks off by %s is cut for the caller too, and asked for once', async (_name, end, options) => {
    const plan = sending(JSON_HEAD + chunk(LONG).toString(), stay);
    await onStage([plan, FINE.json], options, async (stage) => {
      const client = await stage.send(asking('json'));
      await client.body('what has come arrives', (text) => text.length === LONG.length);
      end(await stage.upstream.attempt(0));
      const sight = await stage.seen(client);
      expect(sight).toMatchObject({ status: 200, ending: 'cut' });
      expect(sight.text === LONG).toBe(true);
      expect(stage.upstream.attempts).toHaveLength(1);
      expect(await stage.record(0)).toMatchObject({ end: 'truncated' });
    });
  });

  it('that is a bomb of 64 MiB in 64 KiB of gzip arrives decoded, and nothing of it stays', async () => {
    const bomb = gzipSync(Buffer.alloc(BOMB_BYTES, ' '));
    const plan = answering(Buffer.concat([Buffer.from(headOfLength(bomb.length, GZIP)), bomb]));
    await onStage([plan], {}, async (stage) => {
      const client = await stage.connectCounting();
      stage.sendOn(client, asking('json'));
      await eventually('all of it arrives', DEADLINE_MS, () => client.isWhole);
      expect(client.status).toBe(200);
      expect(client.receivedBytes).toBeGreaterThan(BOMB_BYTES);
      expect(await stage.record(0)).toMatchObject({ end: 'complete', usage: null });
    });
  });
});

describe.concurrent('a whole message', () => {
  const BYTES = [
    ['that is no JSON', 'this is no JSON'],
    ['that ends in the middle of its JSON', HALF],
    ['behind a byte order mark', `\u{feff}${JSON_ANSWER}`],
    ['that is null', 'null'],
    ['of 10,000 brackets', '['.repeat(10_000)],
  ] as const;

  it.each(BYTES)('%s is the upstream’s to answer for: it arrives as it is', async (_name, body) => {
    await onStage([answering(withLength(200, body))], {}, async (stage) => {
      const client = await stage.send(asking('json'));
      expect(await stage.seen(client)).toMatchObject({
        status: 200,
        ending: 'whole',
        text: Buffer.from(body).toString(),
      });
      expect(stage.upstream.attempts).toHaveLength(1);
    });
  });

  it('with more behind its length arrives without that', async () => {
    await onStage([answering(withLength(200, JSON_ANSWER).toString() + JSON_ANSWER)], {}, (stage) =>
      expectFine(stage, 1),
    );
  });

  it('one byte at a time arrives whole', async () => {
    const pieces = [...Buffer.from(JSON_ANSWER)].map((byte) => chunk(Buffer.of(byte)));
    const plan = answering(Buffer.concat([Buffer.from(JSON_HEAD), ...pieces, Buffer.from(LAST_CHUNK)]));
    await onStage([plan], {}, (stage) => expectFine(stage, 1));
  });

  it('that ends with its connection, in HTTP/1.0, arrives whole', async () => {
    const plan = sending(`HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n${JSON_ANSWER}`, fin);
    await onStage([plan], {}, (stage) => expectFine(stage, 1));
  });
});
