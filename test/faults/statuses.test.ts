import { describe, expect, it } from 'vitest';
import {
  type End,
  headOf,
  lastly,
  sending,
  answering,
  apiError,
  ERROR_WORD,
  JSON_ANSWER,
  WHOLE_STREAM,
  withLength,
} from './answers.ts';
import { asking, FINE, KINDS, onStage, type Kind } from './fault-stage.ts';
import type { Plan } from './raw-upstream.ts';
import { HURRIED, SPENT_CALLS } from './retry-facts.ts';

/** Answers that are no success, whole and well-formed: which are asked again, and what of them the caller sees. */

type Headers = Readonly<Record<string, string>>;
type Answer = readonly [name: string, status: number, headers: Headers, body: string];

const OVERLOADED = apiError('overloaded_error');
const RATE_LIMITED = apiError('rate_limit_error');
const HTML = `<html><body>${ERROR_WORD}</body></html>`;
const TYPE_HTML = { 'content-type': 'text/html' };

/** Asked again until it goes well, or the tries are spent. */
const ASKED_AGAIN: readonly Answer[] = [
  ['529', 529, {}, OVERLOADED],
  ['529 without a body', 529, {}, ''],
  ['500', 500, {}, apiError('api_error')],
  ['502 of a proxy, in HTML', 502, TYPE_HTML, HTML],
  ['503', 503, {}, apiError('api_error')],
  ['504', 504, TYPE_HTML, HTML],
  ['520 of a proxy', 520, TYPE_HTML, HTML],
  ['429 without a time', 429, {}, RATE_LIMITED],
  ['429 in a second', 429, { 'retry-after': '1' }, RATE_LIMITED],
  ['429 in a hundredth of a second', 429, { 'retry-after': '0.01' }, RATE_LIMITED],
  ['429 in 20 ms', 429, { 'retry-after-ms': '20' }, RATE_LIMITED],
  ['429 at once', 429, { 'retry-after': '0' }, RATE_LIMITED],
  ['429 a second ago', 429, { 'retry-after': '-1' }, RATE_LIMITED],
  ['429 in 1e12 seconds, which is no number in HTTP,', 429, { 'retry-after': '1e12' }, RATE_LIMITED],
  ['429 soon', 429, { 'retry-after': 'soon' }, RATE_LIMITED],
  ['429 in NaN', 429, { 'retry-after': 'NaN', 'retry-after-ms': 'NaN' }, RATE_LIMITED],
  ['429 at a date long gone', 429, { 'retry-after': 'Thu, 01 Jan 1970 00:00:00 GMT' }, RATE_LIMITED],
  ['429 with a time of 4 KiB', 429, { 'retry-after': '9'.repeat(4096) + 'x' }, RATE_LIMITED],
];

/** Sent on at once: it would come again, or later than anybody waits here. */
const SENT_ON: readonly Answer[] = [
  ['400', 400, {}, apiError('invalid_request_error')],
  ['404', 404, {}, apiError('not_found_error')],
  ['413', 413, {}, apiError('request_too_large')],
  ['422', 422, {}, apiError('invalid_request_error')],
  ['429 in a trillion seconds', 429, { 'retry-after': '1000000000000' }, RATE_LIMITED],
  ['429 in an hour', 429, { 'retry-after': '3600' }, RATE_LIMITED],
  ['429 in a quadrillion ms', 429, { 'retry-after-ms': '1000000000000000' }, RATE_LIMITED],
  ['429 in more seconds than a double holds', 429, { 'retry-after': '9'.repeat(400) }, RATE_LIMITED],
  ['429 at a date in the year 2999', 429, { 'retry-after': 'Tue, 01 Jan 2999 00:00:00 GMT' }, RATE_LIMITED],
  ['529 in an hour', 529, { 'retry-after': '3600' }, OVERLOADED],
  ['529 that should not be asked again', 529, { 'x-should-retry': 'false' }, OVERLOADED],
  ['429 that should not be asked again', 429, { 'x-should-retry': 'false', 'retry-after': '1' }, RATE_LIMITED],
  [
    '429 of a spend limit',
    429,
    {},
    apiError('rate_limit_error', { details: { error_code: 'enforced_spend_limit_reached' } }),
  ],
];

const plan = ([, status, headers, body]: Answer): Plan => answering(withLength(status, body, headers));
const WHOLE: Record<Kind, string> = { stream: WHOLE_STREAM, json: JSON_ANSWER };

describe.concurrent.each(KINDS)('a %s that is answered', (kind) => {
  it.each(ASKED_AGAIN)('%s once is asked for again, and the caller sees nothing of it', async (...answer) => {
    await onStage([plan(answer), FINE[kind]], HURRIED, async (stage) => {
      const client = await stage.send(asking(kind));
      expect(await stage.seen(client)).toMatchObject({ status: 200, ending: 'whole', text: WHOLE[kind] });
      expect(stage.upstream.attempts).toHaveLength(2);
      expect(await stage.record(0)).toMatchObject({ status: 200, end: 'complete' });
    });
  });

  it.each(ASKED_AGAIN)('%s every time reaches the caller as it is, and as final', async (...answer) => {
    const [, status, headers, body] = answer;
    await onStage([plan(answer)], HURRIED, async (stage) => {
      const client = await stage.send(asking(kind));
      const sight = await stage.seen(client);
      expect(sight).toMatchObject({ status, ending: 'whole', text: body });
      expect(sight.headers).toMatchObject({ ...headers, 'x-should-retry': 'false' });
      expect(stage.upstream.attempts).toHaveLength(SPENT_CALLS);
      expect(await stage.record(0)).toMatchObject({ status, isStream: false });
      expect(client.ending).toBe('open');
    });
  });

  it.each(SENT_ON)('%s is asked for once, and the caller gets that answer as it is', async (...answer) => {
    const [, status, headers, body] = answer;
    await onStage([plan(answer), FINE[kind]], {}, async (stage) => {
      const client = await stage.send(asking(kind));
      const sight = await stage.seen(client);
      expect(sight).toMatchObject({ status, ending: 'whole', text: body });
      expect(sight.headers).toMatchObject(headers);
      expect(sight.headers['x-should-retry']).toBe(headers['x-should-retry']);
      expect(stage.upstream.attempts).toHaveLength(1);
    });
  });

  it('529, by a gateway that makes no call twice, gets that answer as it is', async () => {
    await onStage([answering(withLength(529, OVERLOADED)), FINE[kind]], { retries: 0 }, async (stage) => {
      const client = await stage.send(asking(kind));
      const sight = await stage.seen(client);
      expect(sight).toMatchObject({ status: 529, ending: 'whole', text: OVERLOADED });
      expect(sight.headers['x-should-retry']).toBeUndefined();
      expect(stage.upstream.attempts).toHaveLength(1);
    });
  });

  it('401 is a 502, for it is not the caller’s key that was refused', async () => {
    const answer = answering(withLength(401, apiError('authentication_error')));
    await onStage([answer, FINE[kind]], {}, async (stage) => {
      const client = await stage.send(asking(kind));
      const sight = await stage.seen(client);
      expect(sight).toMatchObject({ status: 502, ending: 'whole' });
      expect(sight.headers['x-should-retry']).toBe('false');
      expect(sight.text).not.toContain(ERROR_WORD);
      expect(stage.upstream.attempts).toHaveLength(1);
      expect(await stage.record(0)).toMatchObject({ refusal: 'upstream_credential_refused' });
    });
  });

  it.each([301, 302, 307, 308])('%i is a 502: no key is carried elsewhere', async (status) => {
    const answer = answering(withLength(status, '', { location: `http://127.0.0.1:9/${ERROR_WORD}` }));
    await onStage([answer, FINE[kind]], {}, async (stage) => {
      const client = await stage.send(asking(kind));
      const sight = await stage.seen(client);
      expect(sight).toMatchObject({ status: 502, ending: 'whole' });
      expect(JSON.stringify(sight)).not.toContain(ERROR_WORD);
      expect(stage.upstream.attempts).toHaveLength(1);
      expect(await stage.record(0)).toMatchObject({ refusal: 'upstream_redirected' });
    });
  });

  it('204 gets it, without a body', async () => {
    await onStage([answering(headOf(204, {}))], {}, async (stage) => {
      const client = await stage.send(asking(kind));
      expect(await stage.seen(client)).toMatchObject({ status: 204, ending: 'whole', text: '' });
    });
  });

  it('200 without a body gets it', async () => {
    await onStage([answering(withLength(200, ''))], {}, async (stage) => {
      const client = await stage.send(asking(kind));
      expect(await stage.seen(client)).toMatchObject({ status: 200, ending: 'whole', text: '' });
      expect(await stage.record(0)).toMatchObject({ status: 200, usage: null });
    });
  });
});

describe.concurrent('a 200 of another kind than was asked for', () => {
  it('passes where a stream was asked for and one message comes', async () => {
    await onStage([FINE.json], {}, async (stage) => {
      const client = await stage.send(asking('stream'));
      expect(await stage.seen(client)).toMatchObject({ status: 200, ending: 'whole', text: JSON_ANSWER });
      expect(await stage.record(0)).toMatchObject({ end: 'complete', isStream: false });
    });
  });

  it('passes where one message was asked for and a stream comes', async () => {
    await onStage([FINE.stream], {}, async (stage) => {
      const client = await stage.send(asking('json'));
      expect(await stage.seen(client)).toMatchObject({ status: 200, ending: 'whole', text: WHOLE_STREAM });
      expect(await stage.record(0)).toMatchObject({ end: 'complete', isStream: true });
    });
  });

  it('passes where a stream was asked for and a page comes', async () => {
    await onStage([answering(withLength(200, HTML, TYPE_HTML))], {}, async (stage) => {
      const client = await stage.send(asking('stream'));
      expect(await stage.seen(client)).toMatchObject({ status: 200, ending: 'whole', text: HTML });
      expect(await stage.record(0)).toMatchObject({ usage: null, isStream: false });
    });
  });
});

const longBody = (kind: Kind, mebibytes = 2): string =>
  JSON.stringify({ model: 'claude-sonnet-5', stream: kind === 'stream', x: 'x'.repeat(mebibytes * 1024 * 1024) });

const refusing: End = (attempt) => {
  attempt.write(withLength(413, apiError('request_too_large'), { connection: 'close' }));
  attempt.fin();
};

describe.concurrent.each(KINDS)('an error in place of a %s', (kind) => {
  const half = Buffer.concat([Buffer.from(headOf(529, { 'content-length': '500' })), Buffer.from('{"type":"err')]);

  it.each(['fin', 'reset'] as const)('that breaks off by %s is asked again like any broken call', async (how) => {
    const plan = sending(half, (attempt) => attempt[how]());
    await onStage([plan, FINE[kind]], HURRIED, async (stage) => {
      const client = await stage.send(asking(kind));
      expect(await stage.seen(client)).toMatchObject({ status: 200, text: WHOLE[kind] });
      expect(stage.upstream.attempts).toHaveLength(2);
    });
  });

  it('of two MiB, too long to be kept, is sent as it comes', async () => {
    const body = 'x'.repeat(2 * 1024 * 1024);
    await onStage([answering(withLength(500, body)), FINE[kind]], HURRIED, async (stage) => {
      const client = await stage.send(asking(kind));
      const sight = await stage.seen(client);
      expect(sight).toMatchObject({ status: 500, ending: 'whole' });
      expect(sight.text === body).toBe(true);
      expect(stage.upstream.attempts).toHaveLength(1);
    });
  });

  // Long enough that the kernel's buffers cannot hold it: what they hold looks sent.
  it('that comes before the body of 12 MiB was read, on a connection that stays, is asked again', async () => {
    const plan: Plan = { at: 'head', run: lastly(withLength(529, OVERLOADED)) };
    await onStage([plan, FINE[kind]], HURRIED, async (stage) => {
      const client = await stage.send(asking(kind, { body: longBody(kind, 12) }));
      expect(await stage.seen(client)).toMatchObject({ status: 200, ending: 'whole', text: WHOLE[kind] });
      expect(stage.upstream.attempts).toHaveLength(2);
      stage.upstream.attempts[0]?.readOn();
    });
  });

  it('that comes before the body of 2 MiB was read reaches the caller, or is a broken call', async () => {
    const plan: Plan = { at: 'head', run: refusing };
    await onStage([plan], HURRIED, async (stage) => {
      const client = await stage.send(asking(kind, { body: longBody(kind) }));
      expect([413, 502]).toContain((await stage.seen(client)).status);
    });
  });
});
