import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { events, sending, stay, stream, USAGE } from './answers.ts';
import { DEADLINE_MS, onStage } from './fault-stage.ts';
import { BEFORE_THE_CALL, DURING_THE_CALL } from './phases.ts';

/**
 * A process whose time is up stops what is left, at whatever point it is. The caller is there and is told: by a refusal
 * where nothing has been sent, by an `error` event behind whole events, and never by a proper end.
 */

const POLICIES = ['cancel', 'drain'] as const;
const UNSENT = DURING_THE_CALL.filter(({ isAnswered }) => !isAnswered);
const BEHIND_EVENTS = DURING_THE_CALL.filter(({ name }) =>
  /^behind (?!.*(held back|the head|message_stop))/.test(name),
);
const OTHERS = DURING_THE_CALL.filter(
  ({ isAnswered, name }) => isAnswered && !BEHIND_EVENTS.some((one) => one.name === name),
);

describe.concurrent.each(POLICIES)('a request that is stopped, with hangUp: %s,', (policy) => {
  const withPolicy = (tenant?: string): string => [tenant, `hangUp: ${policy}`].filter(Boolean).join(', ');

  it.each(BEFORE_THE_CALL)('$name, is refused with 503', async ({ plans, options, reach }) => {
    await onStage(plans, { ...options, tenant: withPolicy(options?.tenant) }, async (stage) => {
      const client = await reach(stage);
      stage.gateway.stopExchanges();
      const sight = await stage.seen(client);
      expect(sight).toMatchObject({ status: 503, ending: 'whole' });
      expect(sight.headers).toMatchObject({ 'x-should-retry': 'true', 'retry-after': '1', connection: 'close' });
      await eventually('all are recorded', DEADLINE_MS, () => stage.records.length === stage.expected.records);
      expect(stage.upstream.attempts).toHaveLength(1);
    });
  });

  it.each(UNSENT)('$name, is refused with 503', async ({ plans, options, reach }) => {
    await onStage(plans, { ...options, tenant: withPolicy(options?.tenant) }, async (stage) => {
      const client = await reach(stage);
      stage.gateway.stopExchanges();
      const sight = await stage.seen(client);
      expect(sight).toMatchObject({ status: 503, ending: 'whole' });
      expect(await stage.record(0)).toMatchObject({ status: 503, refusal: 'draining' });
      await eventually('the call is closed', DEADLINE_MS, () => stage.upstream.attempts[0]?.state === 'closed');
    });
  });

  it.each(BEHIND_EVENTS)('$name, is told by an error event, and cut', async ({ plans, options, reach, name }) => {
    await onStage(plans, { ...options, tenant: withPolicy(options?.tenant) }, async (stage) => {
      const client = await reach(stage);
      stage.gateway.stopExchanges();
      const sight = await stage.seen(client);
      expect(sight).toMatchObject({ status: 200, ending: 'cut' });
      expect(sight.text).toMatch(/\n\nevent: error\ndata: .*"overloaded_error".*\n\n$/);
      expect(sight.text.startsWith(events(2)), name).toBe(true);
      expect(stage.upstream.attempts).toHaveLength(1);
    });
  });

  it.each(OTHERS)('$name, is cut', async ({ plans, options, reach }) => {
    await onStage(plans, { ...options, tenant: withPolicy(options?.tenant) }, async (stage) => {
      const client = await reach(stage);
      const body = client.peek().body.toString();
      stage.gateway.stopExchanges();
      expect(await stage.seen(client)).toMatchObject({ status: 200, ending: 'cut', text: body });
    });
  });
});

describe.concurrent.each(['fin', 'reset', 'close'] as const)('an answer whose caller has left by %s', (way) => {
  it('and that is read on, with hangUp: drain, is ended upstream, and what it has used is booked', async () => {
    await onStage([sending(stream(events(3)), stay)], { tenant: 'hangUp: drain' }, async (stage) => {
      const client = await stage.send();
      await client.body('the text arrives', (text) => text === events(3));
      const timers = stage.clock.pending;
      client[way]();
      await eventually('the bound is set', DEADLINE_MS, () => stage.clock.pending === timers + 1);
      stage.gateway.stopExchanges();
      expect(await stage.record(0)).toMatchObject({ end: 'client_abort', usage: { uncachedInput: USAGE.input } });
      await eventually('the call is closed', DEADLINE_MS, () => stage.upstream.attempts[0]?.state === 'closed');
    });
  });
});
