import { constants, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { event, MESSAGE_STOP, PING, textDelta } from '../support/claude-answers.ts';
import {
  ANSWER_WORD,
  chunk,
  events,
  EVENTS,
  headOf,
  LAST_CHUNK,
  fin,
  lastly,
  over,
  sending,
  SSE_HEAD,
  SSE_TYPE,
  stream,
  WHOLE_STREAM,
} from './answers.ts';
import { onStage } from './fault-stage.ts';
import { onRequest, type Plan, type RawAttempt } from './raw-upstream.ts';

/** Whole streams in odd shapes: whatever they look like, the caller gets their bytes, all of them and no others. */

const IN_THREE_SCRIPTS = events(2) + textDelta(`${ANSWER_WORD} — žluťoučký 🐎 漢字`) + EVENTS.slice(3).join('');

const inOne = (text: string): Plan => sending(stream(text), over);

/** In chunks of these sizes, each in a packet of its own. */
const inPieces = (text: string, pieceBytes: number): Plan =>
  onRequest((attempt) => {
    const bytes = Buffer.from(text);
    attempt.write(SSE_HEAD);
    sendFrom(attempt, bytes, 0, pieceBytes);
  });

function sendFrom(attempt: RawAttempt, bytes: Buffer, at: number, pieceBytes: number): void {
  attempt.write(chunk(bytes.subarray(at, at + pieceBytes)));
  if (at + pieceBytes < bytes.length) setImmediate(sendFrom, attempt, bytes, at + pieceBytes, pieceBytes);
  else over(attempt);
}

/** Split within the character that begins at `text`, so many bytes into it. */
const splitWithin = (character: string, bytesIn: number): Plan =>
  onRequest((attempt) => {
    const bytes = Buffer.from(IN_THREE_SCRIPTS);
    const at = bytes.indexOf(character) + bytesIn;
    attempt.write(SSE_HEAD);
    attempt.write(chunk(bytes.subarray(0, at)));
    setTimeout(() => {
      attempt.write(chunk(bytes.subarray(at)));
      over(attempt);
    }, 10);
  });

const UNKNOWN = event('telemetry', { anything: { at: ['all'] } });
const STOP_AND_MORE = WHOLE_STREAM + PING + UNKNOWN;
const WITHOUT_NAMES = WHOLE_STREAM.replaceAll(/^event: .*\n/gm, '');
const HUGE_EVENT = events(2) + textDelta('x'.repeat(5 * 1024 * 1024)) + EVENTS.slice(3).join('');
const MANY_PINGS = PING.repeat(2_000) + WHOLE_STREAM;

const SHAPES: readonly (readonly [name: string, text: string, plan: Plan])[] = [
  ['one byte at a time', IN_THREE_SCRIPTS, inPieces(IN_THREE_SCRIPTS, 1)],
  ['two bytes at a time', IN_THREE_SCRIPTS, inPieces(IN_THREE_SCRIPTS, 2)],
  ['three bytes at a time', IN_THREE_SCRIPTS, inPieces(IN_THREE_SCRIPTS, 3)],
  ['seven bytes at a time', IN_THREE_SCRIPTS, inPieces(IN_THREE_SCRIPTS, 7)],
  ['split within a letter', IN_THREE_SCRIPTS, splitWithin('ž', 1)],
  ['split within a Chinese character', IN_THREE_SCRIPTS, splitWithin('漢', 2)],
  ['split within a horse, at its first byte', IN_THREE_SCRIPTS, splitWithin('🐎', 1)],
  ['split within a horse, in its middle', IN_THREE_SCRIPTS, splitWithin('🐎', 2)],
  ['split within a horse, at its last byte', IN_THREE_SCRIPTS, splitWithin('🐎', 3)],
  ['with a second message_start', events(1) + WHOLE_STREAM, inOne(events(1) + WHOLE_STREAM)],
  [
    'with a message_start behind its text',
    events(3) + events(1) + EVENTS.slice(3).join(''),
    inOne(events(3) + events(1) + EVENTS.slice(3).join('')),
  ],
  ['with two message_stops', WHOLE_STREAM + MESSAGE_STOP, inOne(WHOLE_STREAM + MESSAGE_STOP)],
  ['with events behind message_stop', STOP_AND_MORE, inOne(STOP_AND_MORE)],
  ['with half an event behind message_stop', `${WHOLE_STREAM}event: pi`, inOne(`${WHOLE_STREAM}event: pi`)],
  ['with unknown events everywhere', UNKNOWN + EVENTS.join(UNKNOWN), inOne(UNKNOWN + EVENTS.join(UNKNOWN))],
  ['without names of events', WITHOUT_NAMES, inOne(WITHOUT_NAMES)],
  ['with CRLF', WHOLE_STREAM.replaceAll('\n', '\r\n'), inOne(WHOLE_STREAM.replaceAll('\n', '\r\n'))],
  ['with CR', WHOLE_STREAM.replaceAll('\n', '\r'), inOne(WHOLE_STREAM.replaceAll('\n', '\r'))],
  ['behind a byte order mark', `\u{feff}${WHOLE_STREAM}`, inOne(`\u{feff}${WHOLE_STREAM}`)],
  [
    'with comments between its lines',
    WHOLE_STREAM.replaceAll('\ndata', '\n: a\ndata'),
    inOne(WHOLE_STREAM.replaceAll('\ndata', '\n: a\ndata')),
  ],
  ['with an event of 5 MiB', HUGE_EVENT, inOne(HUGE_EVENT)],
  ['with 2,000 pings before its first event', MANY_PINGS, inOne(MANY_PINGS)],
  ['with no content at all', events(1) + EVENTS.slice(4).join(''), inOne(events(1) + EVENTS.slice(4).join(''))],
  [
    'with data that is no JSON',
    WHOLE_STREAM.replaceAll('"delta":', 'delta'),
    inOne(WHOLE_STREAM.replaceAll('"delta":', 'delta')),
  ],
];

describe.concurrent('a whole stream', () => {
  it.each(SHAPES)('%s arrives as it is and ends properly', async (_name, text, plan) => {
    await onStage([plan], {}, async (stage) => {
      const client = await stage.send();
      const sight = await stage.seen(client);
      expect(sight).toMatchObject({ status: 200, ending: 'whole' });
      expect(sight.text === text).toBe(true);
      expect(stage.upstream.attempts).toHaveLength(1);
      expect(await stage.record(0)).toMatchObject({ status: 200, isStream: true, end: 'complete' });
      expect(client.ending).toBe('open');
    });
  });

  it('that ends with its connection, in HTTP/1.0, arrives as it is and ends properly', async () => {
    const plan = sending(headOf(200, SSE_TYPE).replace('HTTP/1.1', 'HTTP/1.0') + WHOLE_STREAM, fin);
    await onStage([plan], {}, async (stage) => {
      const client = await stage.send();
      expect(await stage.seen(client)).toMatchObject({ status: 200, ending: 'whole', text: WHOLE_STREAM });
      expect(await stage.record(0)).toMatchObject({ end: 'complete' });
    });
  });

  it('with more behind the end of its transfer arrives without that', async () => {
    const plan = sending(stream(WHOLE_STREAM), lastly(`${LAST_CHUNK}and more`));
    await onStage([plan], {}, async (stage) => {
      const client = await stage.send();
      expect(await stage.seen(client)).toMatchObject({ status: 200, ending: 'whole', text: WHOLE_STREAM });
    });
  });

  it('with trailers arrives, and its trailers do no harm', async () => {
    const plan = sending(stream(WHOLE_STREAM), lastly('0\r\nx-sum: 1\r\n\r\n'));
    await onStage([plan], {}, async (stage) => {
      const client = await stage.send();
      expect(await stage.seen(client)).toMatchObject({ status: 200, ending: 'whole', text: WHOLE_STREAM });
    });
  });

  it('that takes longer than the idle limit in all, and is never silent for as long, arrives whole', async () => {
    const plan = onRequest((attempt) => {
      attempt.write(SSE_HEAD);
      const next = (at: number): void => {
        attempt.write(chunk(EVENTS[at] ?? ''));
        if (at + 1 < EVENTS.length) setTimeout(next, 500, at + 1);
        else over(attempt);
      };
      next(0);
    });
    await onStage([plan], { idleMs: 2_000 }, async (stage) => {
      const client = await stage.send();
      expect(await stage.seen(client)).toMatchObject({ status: 200, ending: 'whole', text: WHOLE_STREAM });
      expect(await stage.record(0)).toMatchObject({ end: 'complete' });
    });
  });

  it('in gzip, one byte at a time, arrives decoded', async () => {
    const head = headOf(200, { ...SSE_TYPE, 'content-encoding': 'gzip', 'transfer-encoding': 'chunked' });
    const plan = onRequest((attempt) => {
      attempt.write(head);
      sendFrom(attempt, gzipSync(IN_THREE_SCRIPTS, { finishFlush: constants.Z_FINISH }), 0, 1);
    });
    await onStage([plan], {}, async (stage) => {
      const client = await stage.send();
      expect(await stage.seen(client)).toMatchObject({ status: 200, ending: 'whole', text: IN_THREE_SCRIPTS });
      expect(await stage.record(0)).toMatchObject({ end: 'complete' });
    });
  });
});
