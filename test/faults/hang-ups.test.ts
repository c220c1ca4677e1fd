import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { events, LAST_CHUNK, lastly, sending, SSE_HEAD, stay, stream, USAGE, WHOLE_STREAM } from './answers.ts';
import { DEADLINE_MS, FINE, onStage, type FaultStage } from './fault-stage.ts';
import { BEFORE_THE_CALL, DURING_THE_CALL, DURING_THE_REQUEST, type Phase } from './phases.ts';
import { type RawAttempt, SILENT } from './raw-upstream.ts';

/**
 * Callers that leave, in each way and at each point. What they held is given back at once; the call is ended upstream, or,
 * where the tenant wants it, read to its end; nobody waits behind somebody who is gone.
 */

const WAYS = ['fin', 'reset', 'close'] as const;
const POLICIES = ['cancel', 'drain'] as const;
const BY = WAYS.flatMap((way) => POLICIES.map((policy) => [way, policy] as const));

/** Before any wait that the caller was in would have ended by itself. */
const SOON_MS = 1_500;

const isOver = (attempt: RawAttempt | undefined, state: RawAttempt['state']): Promise<void> =>
  eventually(`the call is ${state}`, DEADLINE_MS, () => attempt?.state === state);

/** The gateway has seen that its caller is gone when it has begun to count how long it reads on. */
const boundIsSet = ({ clock }: FaultStage, timersBefore: number): Promise<void> =>
  eventually('the bound is set', DEADLINE_MS, () => clock.pending === timersBefore + 1);

function withPolicy(options: Phase['options'], policy: (typeof POLICIES)[number]) {
  const tenant = [options?.tenant, `hangUp: ${policy}`].filter(Boolean).join(', ');
  return { ...options, tenant };
}

describe.concurrent.each(WAYS)('a caller that leaves by %s', (way) => {
  it.each(DURING_THE_REQUEST)('%s, never reaches the upstream', async (_name, bytes, isRequest) => {
    await onStage([SILENT], {}, async (stage) => {
      const client = await stage.connect();
      client.send(bytes);
      if (isRequest) stage.expected.requests = 1;
      client[way]();
      if (isRequest) {
        await eventually('it is counted as 499', DEADLINE_MS, async () => {
          return (await stage.metrics()).sum('slipstream_requests_total', { status: '499' }) === 1;
        });
      }
      expect(stage.upstream.attempts).toHaveLength(0);
    });
  });
});

describe.concurrent.each(BY)('a caller that leaves by %s, with hangUp: %s', (way, policy) => {
  it.each(BEFORE_THE_CALL)('$name, has no call made for it', async ({ plans, options, reach, call, finish }) => {
    await onStage(plans, withPolicy(options, policy), async (stage) => {
      const client = await reach(stage);
      client[way]();
      const record = await stage.record(0, SOON_MS);
      expect(record).toMatchObject({ status: 499, end: 'client_abort', usage: null });
      expect(client.received).toHaveLength(0);
      expect(stage.upstream.attempts).toHaveLength(1);
      if (call === 'none') return;
      expect(stage.upstream.attempts[0]?.state).toBe('open');
      finish(await stage.upstream.attempt(0));
      expect(await stage.record(1)).toMatchObject({ status: 200, end: 'complete' });
      expect(stage.upstream.attempts).toHaveLength(1);
    });
  });

  it.each(DURING_THE_CALL)(
    '$name, is answered no further',
    async ({ plans, options, reach, finish, isAnswered, usage }) => {
      await onStage(plans, withPolicy(options, policy), async (stage) => {
        const client = await reach(stage);
        const attempt = stage.upstream.attempts[0] as RawAttempt;
        const receivedBytes = client.received.length;
        const timers = stage.clock.pending;
        client[way]();
        if (policy === 'drain') {
          await boundIsSet(stage, timers);
          expect(attempt.state).toBe('open');
          finish(attempt);
        }
        const record = await stage.record(0);
        expect(record.end).toBe('client_abort');
        if (policy === 'cancel') expect(record.status).toBe(isAnswered ? 200 : 499);
        await isOver(attempt, policy === 'cancel' ? 'closed' : 'answered');
        expect(stage.upstream.attempts).toHaveLength(1);
        expect(client.received).toHaveLength(receivedBytes);
        const isKnown = usage !== 'none' && (policy === 'drain' || usage === 'known');
        if (isKnown) expect(record.usage?.uncachedInput).toBe(USAGE.input);
        else expect(record.usage).toBeNull();
        if (policy === 'drain' && usage !== 'none') expect(record.usage?.output).toBe(USAGE.output);
      });
    },
  );
});

describe.concurrent.each(WAYS)('a caller that leaves by %s and whose answer is read on', (way) => {
  it('has it read for no longer than the bound', async () => {
    const plan = sending(stream(events(3)), stay);
    await onStage([plan], { tenant: 'hangUp: drain', limits: 'hangUpDrain: 200ms' }, async (stage) => {
      const client = await stage.send();
      await client.body('the text arrives', (text) => text === events(3));
      client[way]();
      expect(await stage.record(0)).toMatchObject({
        status: 200,
        end: 'client_abort',
        usage: { uncachedInput: USAGE.input },
      });
      await isOver(stage.upstream.attempts[0], 'closed');
    });
  });

  it.each(['fin', 'reset'] as const)(
    'has it broken off by its upstream’s %s, and is asked for no second time',
    async (how) => {
      const plan = sending(SSE_HEAD, stay);
      await onStage([plan, FINE.stream], { tenant: 'hangUp: drain' }, async (stage) => {
        const client = await stage.send();
        const attempt = await stage.upstream.attempt(0);
        await eventually('the stream is open', DEADLINE_MS, () => stage.clock.pending === 1);
        client[way]();
        await boundIsSet(stage, 1);
        attempt[how]();
        expect(await stage.record(0)).toMatchObject({ end: 'client_abort' });
        expect(stage.upstream.attempts).toHaveLength(1);
      });
    },
  );
});

describe.concurrent.each(BY)('requests in line on one connection that ends by %s, with hangUp: %s', (way, policy) => {
  it('are all over: the one being answered, and the one that waits for a slot behind it', async () => {
    const plan = sending(stream(events(3)), stay);
    await onStage(
      [plan],
      { tenant: `maxConcurrency: 1, hangUp: ${policy}`, limits: 'hangUpDrain: 100ms' },
      async (stage) => {
        const client = await stage.send();
        stage.sendOn(client);
        await client.body('the text arrives', (text) => text === events(3));
        await eventually('the second waits', DEADLINE_MS, () => stage.tenantCounts().waiting === 1);
        client[way]();
        await stage.record(1);
        expect(stage.records.map(({ end }) => end)).toEqual(['client_abort', 'client_abort']);
        expect(stage.upstream.attempts).toHaveLength(1);
      },
    );
  });

  it('are all over, also the one whose answer is whole and waits for its turn', async () => {
    const hangs = sending(stream(events(3)), stay);
    await onStage(
      [hangs, FINE.stream],
      { tenant: `hangUp: ${policy}`, limits: 'hangUpDrain: 100ms' },
      async (stage) => {
        const client = await stage.send();
        await client.body('the text arrives', (text) => text === events(3));
        stage.sendOn(client);
        await stage.upstream.attempt(1);
        client[way]();
        await stage.record(1);
        expect(stage.records.map(({ end }) => end)).toEqual(['client_abort', 'client_abort']);
      },
    );
  });
});

describe.concurrent('requests in line on one connection', () => {
  it('are answered in their order, whichever upstream answer is first', async () => {
    await onStage([SILENT, FINE.stream], {}, async (stage) => {
      const client = await stage.send();
      await stage.upstream.attempt(0);
      stage.sendOn(client);
      const first = await stage.upstream.attempt(0);
      await stage.upstream.attempt(1);
      expect(client.received).toHaveLength(0);
      lastly(Buffer.concat([stream(WHOLE_STREAM), Buffer.from(LAST_CHUNK)]))(first);
      expect(await client.response()).toMatchObject({ status: 200, text: WHOLE_STREAM });
      expect(await stage.seen(client)).toMatchObject({ status: 200, text: WHOLE_STREAM });
    });
  });

  it('fail each for itself: a cut stream ends the connection, and the one behind it is over', async () => {
    const hangs = sending(stream(events(3)), stay);
    await onStage([hangs, FINE.stream], {}, async (stage) => {
      const client = await stage.send();
      await client.body('the text arrives', (text) => text === events(3));
      stage.sendOn(client);
      await stage.upstream.attempt(1);
      stage.upstream.attempts[0]?.reset();
      expect(await stage.seen(client)).toMatchObject({ status: 200, ending: 'cut' });
      await stage.record(1);
      expect(stage.records.map(({ end }) => end).sort()).toEqual(['client_abort', 'truncated']);
    });
  });
});
