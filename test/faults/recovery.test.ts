import { describe, expect, it } from 'vitest';
import { eventsIn, faultOf, textsOf } from '../support/event-sequence.ts';
import { eventually } from '../support/eventually.ts';
import {
  BLOCK_START,
  BLOCK_STOP,
  event,
  MESSAGE_STOP,
  messageDelta,
  messageStart,
  textDelta,
} from '../support/claude-answers.ts';
import {
  ANSWER_WORD,
  answering,
  apiError,
  chunk,
  errorEvent,
  events,
  fin,
  headOf,
  JSON_ANSWER,
  LAST_CHUNK,
  lastly,
  over,
  reset,
  sending,
  SSE_HEAD,
  stay,
  stream,
  type End,
  USAGE,
  WHOLE_STREAM,
  withLength,
} from './answers.ts';
import { DEADLINE_MS, onStage, type FaultStage } from './fault-stage.ts';
import type { Sight } from './sight.ts';
import { type Plan, SILENT } from './raw-upstream.ts';

import { HURRIED, SPENT_CALLS } from './retry-facts.ts';

/**
 * Streams that break behind content, for a tenant that wants them continued: where the rest can be asked for, the caller
 * sees one valid stream; where it cannot, or fails too, what every other caller sees: an honest error, and no end.
 */

const CONTINUE = { tenant: 'recover: continue' };

const HALF_EVENT = 'event: content_block_delta\ndata: {"type":"content_bl';

type Way = readonly [name: string, more: string, end: End];

const WAYS: readonly Way[] = [
  ['a reset', '', reset],
  ['a FIN', '', fin],
  ['its proper end', '', over],
  ['a broken chunk', '', (attempt) => attempt.write('zz\r\n')],
  ['half an event and a reset', HALF_EVENT, reset],
  ['an error event', errorEvent(), over],
];

const WHERE = [
  ['behind its text', 3],
  ['behind its block', 4],
] as const;

const BREAKS = WHERE.flatMap(([where, count]) =>
  WAYS.map(([name, more, end]) => [where, name, count, more, end] as const),
);

const breaking = (text: string, end: End): Plan => sending(stream(text), end);

const SILENT_STREAM = sending(SSE_HEAD, stay);
const MORE = ', and more';
const REST = sending(
  stream(
    messageStart({ input_tokens: 30, output_tokens: 1 }) +
      BLOCK_START +
      textDelta(MORE) +
      BLOCK_STOP +
      messageDelta(4) +
      MESSAGE_STOP,
  ),
  over,
);

/** What a client puts together, which it can only from a valid sequence. */
function textOf({ text }: Sight): string {
  const list = eventsIn(Buffer.from(text));
  expect(faultOf(list)).toBeNull();
  return textsOf(list).join('');
}

async function expectCutOnce(stage: FaultStage, sight: Sight): Promise<void> {
  expect(sight).toMatchObject({ status: 200, ending: 'cut' });
  const types = eventsIn(Buffer.from(sight.text)).map(({ type }) => type);
  expect(types.filter((type) => type === 'message_start')).toHaveLength(1);
  expect(types.filter((type) => type === 'error')).toHaveLength(1);
  expect(types.at(-1)).toBe('error');
  expect(types).not.toContain('message_stop');
  expect((await stage.record(0)).end).not.toBe('complete');
}

describe.concurrent('a stream that is continued', () => {
  it.each(BREAKS)('%s, after %s, is one whole answer to its caller', async (_where, _way, count, more, end) => {
    await onStage([breaking(events(count) + more, end), REST], CONTINUE, async (stage) => {
      const client = await stage.send();
      const sight = await stage.seen(client);
      expect(sight).toMatchObject({ status: 200, ending: 'whole' });
      expect(textOf(sight)).toBe(ANSWER_WORD + MORE);
      expect(sight.headers['x-slipstream-recover']).toBe('continue');
      expect(sight.trailers['x-slipstream-spliced']).toBe('1');
      expect(stage.upstream.attempts).toHaveLength(2);
      expect(stage.upstream.attempts[1]?.body.toString()).toContain(ANSWER_WORD);
      const { end: outcome, usage } = await stage.record(0);
      expect(outcome).toBe('complete');
      expect(usage?.uncachedInput).toBe(USAGE.input + 30);
    });
  });

  it.each(WAYS)(
    'by %s, and whose rest is refused, is cut like any other, and told of once',
    async (_way, more, end) => {
      const refused = answering(withLength(400, apiError('invalid_request_error')));
      await onStage([breaking(events(3) + more, end), refused], CONTINUE, async (stage) => {
        const client = await stage.send();
        const sight = await stage.seen(client);
        if (more === errorEvent() && sight.ending === 'whole') expect(sight.text).toBe(events(3) + errorEvent());
        else await expectCutOnce(stage, sight);
        expect(stage.upstream.attempts).toHaveLength(2);
      });
    },
  );

  it('and breaks every time ends, cut, after a bounded number of calls', async () => {
    const rest = messageStart() + BLOCK_START + textDelta(MORE);
    const again = breaking(rest, reset);
    await onStage([breaking(events(3), reset), again], { ...CONTINUE, ...HURRIED }, async (stage) => {
      const client = await stage.send();
      await expectCutOnce(stage, await stage.seen(client));
      expect(stage.upstream.attempts.length).toBeLessThanOrEqual(SPENT_CALLS);
    });
  });

  it.each(['fin', 'reset', 'close'] as const)(
    'and whose caller leaves by %s meanwhile has that call ended',
    async (way) => {
      await onStage([breaking(events(3), reset), SILENT], CONTINUE, async (stage) => {
        const client = await stage.send();
        const second = await stage.upstream.attempt(1);
        client[way]();
        expect(await stage.record(0)).toMatchObject({ end: 'client_abort' });
        await eventually('the call is closed', DEADLINE_MS, () => second.state === 'closed');
        expect(stage.upstream.attempts).toHaveLength(2);
      });
    },
  );
});

const NO_REST: readonly (readonly [name: string, plan: Plan])[] = [
  ['is answered 529', answering(withLength(529, apiError('overloaded_error')))],
  ['is answered 401', answering(withLength(401, apiError('authentication_error')))],
  ['is answered 204', answering(headOf(204, {}))],
  ['is answered with a redirect', answering(withLength(307, '', { location: 'http://127.0.0.1:9/' }))],
  ['comes in one piece', answering(withLength(200, JSON_ANSWER))],
  ['speaks no HTTP', sending('what is this\r\n\r\n', stay)],
  ['breaks off behind its head', sending(SSE_HEAD, reset)],
  ['breaks off behind its message_start', sending(stream(events(1)), reset)],
  ['ends behind its message_start', sending(stream(events(1)), over)],
  ['is an error event', sending(stream(events(1) + errorEvent()), over)],
  ['begins with a second message_start', sending(stream(events(1) + events(1)), over)],
];

describe.concurrent('a stream whose rest', () => {
  it.each(NO_REST)('%s, is cut for its caller, behind one error event', async (_name, rest) => {
    await onStage([breaking(events(3), reset), rest], { ...CONTINUE, ...HURRIED }, async (stage) => {
      const client = await stage.send();
      await expectCutOnce(stage, await stage.seen(client));
      expect(stage.upstream.attempts.length).toBeLessThanOrEqual(SPENT_CALLS);
    });
  });

  it('is silent for longer than the idle limit, is cut for its caller, behind one error event', async () => {
    await onStage([breaking(events(3), reset), SILENT_STREAM], { ...CONTINUE, idleMs: 300 }, async (stage) => {
      const client = await stage.send();
      await expectCutOnce(stage, await stage.seen(client));
    });
  });

  it('is being waited for when the process stops, is cut for its caller, behind one error event', async () => {
    await onStage([breaking(events(3), reset), SILENT_STREAM], CONTINUE, async (stage) => {
      const client = await stage.send();
      await stage.upstream.attempt(1);
      stage.gateway.stopExchanges();
      await expectCutOnce(stage, await stage.seen(client));
    });
  });

  it.each(['fin', 'reset', 'close'] as const)(
    'is being read when its caller leaves by %s, with hangUp: drain, is read on',
    async (way) => {
      const options = { tenant: 'recover: continue, hangUp: drain' };
      await onStage([breaking(events(3), reset), SILENT_STREAM], options, async (stage) => {
        const client = await stage.send();
        const second = await stage.upstream.attempt(1);
        const timers = stage.clock.pending;
        client[way]();
        await eventually('the bound is set', DEADLINE_MS, () => stage.clock.pending === timers + 1);
        lastly(chunk(WHOLE_STREAM).toString() + LAST_CHUNK)(second);
        const { end, usage } = await stage.record(0);
        expect(end).toBe('client_abort');
        expect(usage?.uncachedInput).toBe(2 * USAGE.input);
        expect(second.state).toBe('answered');
      });
    },
  );

  it.each(['fin', 'reset', 'close'] as const)('is not asked for when its caller has left by %s before', async (way) => {
    const options = { tenant: 'recover: continue, hangUp: drain' };
    await onStage([breaking(events(3), stay), REST], options, async (stage) => {
      const client = await stage.send();
      await client.body('the text arrives', (text) => text === events(3));
      const timers = stage.clock.pending;
      client[way]();
      await eventually('the bound is set', DEADLINE_MS, () => stage.clock.pending === timers + 1);
      stage.upstream.attempts[0]?.reset();
      expect(await stage.record(0)).toMatchObject({ end: 'client_abort', usage: { uncachedInput: USAGE.input } });
      expect(stage.upstream.attempts).toHaveLength(1);
    });
  });
});

const THINKING = event('content_block_start', { index: 0, content_block: { type: 'thinking', thinking: '' } });
const TOOL_USE = event('content_block_start', {
  index: 0,
  content_block: { type: 'tool_use', id: 'toolu_1', name: 'go', input: {} },
});

describe.concurrent('a stream that cannot be continued', () => {
  it.each([
    ['within a thought', events(1) + THINKING],
    ['within a call of a tool', events(1) + TOOL_USE],
    ['behind its message_delta', events(5)],
  ])('because it broke %s, is cut, and nothing more is asked for', async (_where, text) => {
    await onStage([breaking(text, reset), REST], CONTINUE, async (stage) => {
      const client = await stage.send();
      const sight = await stage.seen(client);
      await expectCutOnce(stage, sight);
      expect(sight.text.startsWith(text)).toBe(true);
      expect(stage.upstream.attempts).toHaveLength(1);
    });
  });
});
