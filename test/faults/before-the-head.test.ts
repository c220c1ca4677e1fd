import { describe, expect, it } from 'vitest';
import {
  chunk,
  fin,
  headOf,
  JSON_ANSWER,
  LAST_CHUNK,
  reset,
  sending,
  SSE_HEAD,
  SSE_TYPE,
  stay,
  WHOLE_STREAM,
  withLength,
} from './answers.ts';
import { FINE, KINDS, asking, onStage, type FaultStage, type Kind } from './fault-stage.ts';
import { onRequest, type Plan } from './raw-upstream.ts';
import { HURRIED, SPENT_CALLS } from './retry-facts.ts';

/** What goes wrong before an answer has a whole head. Nothing has come, so that it can be asked again. */

const resets = (bytes = ''): Plan => sending(bytes, reset);
const ends = (bytes = ''): Plan => sending(bytes, fin);
/** Says it and stays: whether it can be read is for the gateway to see. */
const says = (bytes: string | Uint8Array): Plan => sending(bytes, stay);

const HALF_HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-st';
const EARLY = 'HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n';
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const TLS_ALERT = Buffer.from([0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46]);

const FAULTS: readonly (readonly [name: string, plan: Plan])[] = [
  ['resets the connection as soon as it is accepted', { at: 'accept', run: reset }],
  ['ends the connection as soon as it is accepted', { at: 'accept', run: fin }],
  ['resets the connection at the end of the request’s head', { at: 'head', run: reset }],
  ['resets the connection when it has the request', resets()],
  ['ends the connection when it has the request', ends()],
  ['resets within the status line', resets('HTTP/1.1 2')],
  ['ends within the status line', ends('HTTP/1.1 2')],
  ['resets within a header', resets(HALF_HEAD)],
  ['ends within a header', ends(HALF_HEAD)],
  ['resets behind the last header line', resets('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n')],
  ['resets behind an interim head', resets(EARLY)],
  ['ends behind three interim heads', ends(CONTINUE + EARLY + EARLY)],
  ['speaks no HTTP', says('HTP/1.1 200 OK\r\nwhat is this\r\n\r\n')],
  ['speaks TLS', says(TLS_ALERT)],
  ['names no status', says('HTTP/1.1 OK\r\ncontent-length: 0\r\n\r\n')],
  ['has a NUL in its head', says('HTTP/1.1 200 OK\r\nx-note: \0\r\ncontent-length: 0\r\n\r\n')],
  ['has a head of 100 KiB', says(headOf(200, { ...SSE_TYPE, 'x-note': 'x'.repeat(100 * 1024) }))],
  ['sends a header of 1 MiB and no end of it', says(`HTTP/1.1 200 OK\r\nx-note: ${'x'.repeat(1024 * 1024)}`)],
  ['announces a negative length', says(headOf(200, { 'content-length': '-5' }))],
  ['announces two lengths', says('HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n')],
  ['switches protocols unasked', says('HTTP/1.1 101 Switching\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n')],
];

const WHOLE: Record<Kind, string> = { stream: WHOLE_STREAM, json: JSON_ANSWER };

async function expectUnharmed(stage: FaultStage, kind: Kind, calls: number): Promise<void> {
  const client = await stage.send(asking(kind));
  expect(await stage.seen(client)).toMatchObject({ status: 200, ending: 'whole', text: WHOLE[kind] });
  expect(stage.upstream.attempts).toHaveLength(calls);
  expect(await stage.record(0)).toMatchObject({ status: 200, end: 'complete', isStream: kind === 'stream' });
  expect(client.ending).toBe('open');
}

async function expectRefused(stage: FaultStage, kind: Kind, status: number, refusal: string): Promise<void> {
  const client = await stage.send(asking(kind));
  const sight = await stage.seen(client);
  expect(sight).toMatchObject({ status, ending: 'whole' });
  expect(sight.headers['x-should-retry']).toBe('false');
  expect(JSON.parse(sight.text)).toMatchObject({ type: 'error', request_id: sight.headers['x-slipstream-id'] });
  expect(await stage.record(0)).toMatchObject({ status, end: 'refused', refusal, isStream: false });
  expect(client.ending).toBe('open');
}

describe.concurrent.each(KINDS)('an upstream asked for a %s that', (kind) => {
  it.each(FAULTS)('%s once is asked again, and the caller sees nothing of it', async (_name, plan) => {
    await onStage([plan, FINE[kind]], HURRIED, (stage) => expectUnharmed(stage, kind, 2));
  });

  it.each(FAULTS)('%s every time is asked five times, and then the caller is told 502', async (_name, plan) => {
    await onStage([plan], HURRIED, async (stage) => {
      await expectRefused(stage, kind, 502, 'upstream_broken');
      expect(stage.upstream.attempts).toHaveLength(SPENT_CALLS);
    });
  });

  it('refuses every connection is a 502', async () => {
    await onStage([FINE[kind]], { ...HURRIED, first: 'refusing', tenant: 'upstreams: [refusing]' }, async (stage) => {
      await expectRefused(stage, kind, 502, 'upstream_unreachable');
      expect(stage.upstream.attempts).toHaveLength(0);
    });
  });

  it('refuses every connection has its requests sent to another that serves the tenant', async () => {
    await onStage([FINE[kind]], { first: 'refusing' }, (stage) => expectUnharmed(stage, kind, 1));
  });

  it('sends a hundred interim heads before its own is heard out', async () => {
    const bytes = EARLY.repeat(100) + (kind === 'stream' ? SSE_HEAD : withLength(200, JSON_ANSWER).toString());
    const answer = onRequest((attempt) => {
      attempt.write(bytes);
      if (kind === 'stream') attempt.write(Buffer.concat([chunk(WHOLE_STREAM), Buffer.from(LAST_CHUNK)]));
      attempt.end();
    });
    await onStage([answer], {}, (stage) => expectUnharmed(stage, kind, 1));
  });

  it('sends its head one byte at a time is heard out', async () => {
    const answer = onRequest((attempt) => {
      const bytes = Buffer.from(withLength(200, WHOLE[kind], kind === 'stream' ? SSE_TYPE : {}));
      const next = (at: number): void => {
        attempt.write(bytes.subarray(at, at + 1));
        if (at + 1 < bytes.length) setImmediate(next, at + 1);
        else attempt.end();
      };
      next(0);
    });
    await onStage([answer], {}, (stage) => expectUnharmed(stage, kind, 1));
  });

  it('reads nothing of a body of 2 MiB and resets is asked again', async () => {
    const plan: Plan = { at: 'head', run: reset };
    const body = JSON.stringify({
      model: 'claude-sonnet-5',
      stream: kind === 'stream',
      x: 'x'.repeat(2 * 1024 * 1024),
    });
    await onStage([plan, FINE[kind]], HURRIED, async (stage) => {
      const client = await stage.send(asking(kind, { body }));
      expect(await stage.seen(client)).toMatchObject({ status: 200, text: WHOLE[kind] });
      expect(stage.upstream.attempts.at(-1)?.body).toHaveLength(body.length);
    });
  });
});
