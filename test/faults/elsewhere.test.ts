import { describe, expect, it } from 'vitest';
import {
  answering,
  apiError,
  chunk,
  errorEvent,
  events,
  JSON_ANSWER,
  JSON_HEAD,
  over,
  reset,
  sending,
  SSE_HEAD,
  stay,
  stream,
  WHOLE_STREAM,
  withLength,
} from './answers.ts';
import { asking, FINE, KINDS, onStage, type Kind } from './fault-stage.ts';
import type { Plan } from './raw-upstream.ts';
import { HURRIED } from './retry-facts.ts';

/** Where two upstreams serve a tenant, what fails at the one is asked of the other, and not again of the first. */

const RATE_LIMITED = apiError('rate_limit_error');

const FAULTS: readonly (readonly [name: string, plan: Plan])[] = [
  ['resets the connection', sending('', reset)],
  ['speaks no HTTP', sending('what is this\r\n\r\n', stay)],
  ['answers 529', answering(withLength(529, apiError('overloaded_error')))],
  ['answers 500', answering(withLength(500, apiError('api_error')))],
  ['answers 429 in an hour', answering(withLength(429, RATE_LIMITED, { 'retry-after': '3600' }))],
  ['answers 429 in a trillion seconds', answering(withLength(429, RATE_LIMITED, { 'retry-after': '1000000000000' }))],
  ['answers 401 to the gateway’s key', answering(withLength(401, apiError('authentication_error')))],
];

const IN_A_STREAM: readonly (readonly [name: string, plan: Plan])[] = [
  ['breaks off behind the head', sending(SSE_HEAD, reset)],
  ['breaks off behind message_start', sending(stream(events(1)), reset)],
  ['sends an error event', sending(stream(events(1) + errorEvent()), over)],
];

const WHOLE: Record<Kind, string> = { stream: WHOLE_STREAM, json: JSON_ANSWER };

async function expectElsewhere(kind: Kind, plan: Plan): Promise<void> {
  await onStage([plan], { ...HURRIED, other: [FINE[kind]] }, async (stage) => {
    const client = await stage.send(asking(kind));
    expect(await stage.seen(client)).toMatchObject({ status: 200, ending: 'whole', text: WHOLE[kind] });
    expect(stage.upstream.attempts).toHaveLength(1);
    expect(stage.other.attempts).toHaveLength(1);
    expect(await stage.record(0)).toMatchObject({ status: 200, end: 'complete' });
  });
}

describe.concurrent.each(KINDS)('a %s of an upstream that', (kind) => {
  it.each(FAULTS)('%s is asked of the other, and its caller sees nothing of it', async (_name, plan) => {
    await expectElsewhere(kind, plan);
  });
});

describe.concurrent('a stream of an upstream that', () => {
  it.each(IN_A_STREAM)('%s is asked of the other, and its caller sees one whole stream', async (_name, plan) => {
    await expectElsewhere('stream', plan);
  });

  it('breaks off behind content is not asked of the other', async () => {
    await onStage([sending(stream(events(3)), stay)], { other: [FINE.stream] }, async (stage) => {
      const client = await stage.send();
      await client.body('the text arrives', (text) => text === events(3));
      stage.upstream.attempts[0]?.reset();
      expect(await stage.seen(client)).toMatchObject({ status: 200, ending: 'cut' });
      expect(stage.other.attempts).toHaveLength(0);
    });
  });
});

describe.concurrent('a message of an upstream that', () => {
  it('breaks off in its middle is asked of the other', async () => {
    await expectElsewhere('json', sending(JSON_HEAD + chunk('{"type":').toString(), reset));
  });
});

describe.concurrent.each(KINDS)('a %s that fails at both upstreams', (kind) => {
  it('is asked of each, and the caller sees the error once, as final', async () => {
    const overloaded = answering(withLength(529, apiError('overloaded_error')));
    await onStage([overloaded], { ...HURRIED, other: [overloaded] }, async (stage) => {
      const client = await stage.send(asking(kind));
      const sight = await stage.seen(client);
      expect(sight).toMatchObject({ status: 529, ending: 'whole' });
      expect(sight.headers['x-should-retry']).toBe('false');
      expect(stage.upstream.attempts.length).toBeGreaterThan(0);
      expect(stage.other.attempts.length).toBeGreaterThan(0);
    });
  });
});

describe.concurrent('an upstream that has failed five times in a row', () => {
  it('is left alone: the next request is told so at once, and asked when the upstream has had its rest', async () => {
    const broken = sending('', reset);
    await onStage([broken, broken, broken, broken, broken, FINE.stream], HURRIED, async (stage) => {
      const first = await stage.send();
      expect(await stage.seen(first)).toMatchObject({ status: 502, ending: 'whole' });
      const second = await stage.send();
      expect(await stage.seen(second)).toMatchObject({ status: 200, ending: 'whole', text: WHOLE_STREAM });
      expect(stage.upstream.attempts).toHaveLength(6);
    });
  });
});
