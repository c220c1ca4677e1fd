import Anthropic, {
  APIError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  NotFoundError,
  OverloadedError,
  RateLimitError,
} from '@anthropic-ai/sdk';
import { describe, expect, test } from 'vitest';
import { within } from '../support/eventually.ts';
import { ACME_KEY, passThrough } from '../support/gateway-under-test.ts';
import { useSimulatorStage, type SimulatorStage } from '../support/simulator-stage.ts';
import { MODEL } from './prompts.ts';

/** What `@anthropic-ai/sdk` 1.x makes of refusals, faults and its own hanging up, with the gateway in between. */
const start = useSimulatorStage();

const DEADLINE_MS = 3_000;
const HELLO = { model: MODEL, max_tokens: 400, messages: [{ role: 'user' as const, content: 'Hello' }] };

function client({ baseUrl }: SimulatorStage, { apiKey = ACME_KEY, maxRetries = 0 } = {}): Anthropic {
  return new Anthropic({ baseURL: baseUrl, apiKey, maxRetries, logLevel: 'off' });
}

function faulty(fault: string) {
  return { headers: { 'x-simulator-fault': fault } };
}

async function failure(promise: PromiseLike<unknown>): Promise<APIError> {
  const error = await Promise.resolve(promise).then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof APIError)) throw error;
  return error;
}

describe('refusals', () => {
  test('a key that is nobody’s is an AuthenticationError, asked once, and reaches no upstream', async () => {
    const stage = await start();
    const error = await failure(client(stage, { apiKey: 'nobody', maxRetries: 2 }).messages.create(HELLO));
    expect(error).toBeInstanceOf(AuthenticationError);
    expect(error.type).toBe('authentication_error');
    expect(stage.seen).toHaveLength(0);
  });

  test('in pass-through mode it is the upstream that refuses a key', async () => {
    const stage = await start({ settings: passThrough() });
    const error = await failure(client(stage, { apiKey: 'nobody' }).messages.create(HELLO));
    expect(error).toBeInstanceOf(AuthenticationError);
    expect(error.requestID).toBe(stage.newest().id);
  });

  test('an unknown model is the upstream’s NotFoundError, with its words and its request-id', async () => {
    const stage = await start();
    const error = await failure(client(stage).messages.create({ ...HELLO, model: 'claude-of-next-year' }));
    expect(error).toBeInstanceOf(NotFoundError);
    expect(error).toMatchObject({ type: 'not_found_error', apiMessage: 'model: claude-of-next-year' });
    expect(error.requestID).toBe(stage.newest().id);
  });

  test('what the API finds wrong with a question is a BadRequestError, for a stream as well', async () => {
    const stage = await start();
    const error = await failure(
      client(stage)
        .messages.stream({ ...HELLO, messages: [] })
        .finalMessage(),
    );
    expect(error).toBeInstanceOf(BadRequestError);
    expect(error.apiMessage).toBe('messages: at least one message is required');
  });

  test('error.details.error_code arrives', async () => {
    const stage = await start();
    const error = await failure(client(stage).messages.create(HELLO, faulty('400;code=thread_not_found')));
    expect(error.errorCode).toBe('thread_not_found');
  });

  test('a rate limit is a RateLimitError with the upstream’s retry-after and x-should-retry', async () => {
    const stage = await start();
    const error = await failure(client(stage).messages.create(HELLO, faulty('429;retry-after=7;x-should-retry=false')));
    expect(error).toBeInstanceOf(RateLimitError);
    expect(error.headers?.get('retry-after')).toBe('7');
    expect(error.headers?.get('x-should-retry')).toBe('false');
  });

  test('an overload that lasts is an OverloadedError', async () => {
    const stage = await start();
    const error = await failure(client(stage).messages.create(HELLO, faulty('529;x-should-retry=false')));
    expect(error).toBeInstanceOf(OverloadedError);
    expect(error).toMatchObject({ status: 529, type: 'overloaded_error' });
  });

  test('the SDK’s own retries reach the upstream, counted as the SDK counts them', async () => {
    const stage = await start();
    await failure(client(stage, { maxRetries: 2 }).messages.create(HELLO, faulty('429;retry-after-ms=1')));
    const counts = new Set(stage.seen.map(({ headers }) => headers['x-stainless-retry-count']));
    expect([...counts]).toEqual(['0', '1', '2']);
  });

  test('a rate limit of one moment ends in an answer', async () => {
    const stage = await start();
    stage.simulator.script('429;retry-after-ms=1');
    expect(await client(stage, { maxRetries: 2 }).messages.create(HELLO)).toMatchObject({ role: 'assistant' });
    expect(stage.seen.map(({ status }) => status)).toEqual([429, 200]);
  });

  test('a page of HTML from something in front of the API is an error with its status', async () => {
    const stage = await start();
    expect(await failure(client(stage).messages.create(HELLO, faulty('html-502')))).toMatchObject({ status: 502 });
  });
});

describe('streams that break', () => {
  async function texts(stage: SimulatorStage, fault: string): Promise<{ count: number; error: APIError }> {
    let count = 0;
    const error = await failure(
      (async () => {
        const stream = await client(stage).messages.create({ ...HELLO, stream: true }, faulty(fault));
        for await (const event of stream) if (event.type === 'content_block_delta') count += 1;
      })(),
    );
    return { count, error };
  }

  test('an error event is thrown with its type, after what came before it', async () => {
    const stage = await start();
    const { count, error } = await texts(stage, 'error-in-stream;after=4');
    expect(count).toBe(3);
    expect(error.type).toBe('overloaded_error');
    expect(await stage.record(0)).toMatchObject({ end: 'upstream_error' });
  });

  test('a connection that is cut between events throws an error that tells so', async () => {
    const stage = await start();
    const { count, error } = await texts(stage, 'cut;after=4');
    expect(count).toBe(3);
    expect(error.type).toBe('api_error');
    expect(await stage.record(0)).toMatchObject({ end: 'truncated' });
  });

  test('a stream that ends without message_stop throws: it never looks complete', async () => {
    const stage = await start();
    expect((await texts(stage, 'end-early;after=4')).error.type).toBe('api_error');
    expect(await stage.record(0)).toMatchObject({ end: 'truncated' });
  });

  test('JSON that breaks off is an error and no message', async () => {
    const stage = await start();
    await expect(client(stage).messages.create(HELLO, faulty('cut'))).rejects.toThrow(/terminated|broke off/);
    expect((await stage.record(0)).end).not.toBe('complete');
  });
});

describe('clients that leave', () => {
  test('an abort in mid-stream ends the upstream’s work and frees the slot', async () => {
    const stage = await start();
    const stream = client(stage).messages.stream(HELLO, faulty('stall;after=3'));
    const done = failure(stream.finalMessage());
    await within('the first text arrives', DEADLINE_MS, stream.emitted('text'));
    expect((await stage.slots()).get('acme')).toMatchObject({ inUse: 1 });
    stream.abort();
    expect(await done).toBeInstanceOf(APIUserAbortError);
    expect(await stage.ended()).toMatchObject({ outcome: 'aborted' });
  });

  test('leaving the loop over a stream does the same', async () => {
    const stage = await start();
    const stream = await client(stage).messages.create({ ...HELLO, stream: true }, faulty('stall;after=3'));
    for await (const event of stream) if (event.type === 'content_block_delta') break;
    expect(await stage.ended()).toMatchObject({ outcome: 'aborted' });
  });

  test('an abort before the answer begins reaches the upstream too', async () => {
    const stage = await start();
    const leaving = new AbortController();
    const options = { ...faulty('stall-headers'), signal: leaving.signal };
    const done = failure(client(stage).messages.create(HELLO, options));
    await within('the call reaches the simulator', DEADLINE_MS, arrived(stage));
    leaving.abort();
    expect(await done).toBeInstanceOf(APIUserAbortError);
    expect(await stage.ended()).toMatchObject({ outcome: 'aborted' });
  });

  async function arrived({ seen }: SimulatorStage): Promise<void> {
    while (!seen.some(({ body }) => body.length > 0)) await new Promise((resolve) => setImmediate(resolve));
  }
});
