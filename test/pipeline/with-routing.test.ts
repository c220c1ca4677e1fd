import { describe, expect, it } from 'vitest';
import type { GatewayRequest } from '../../src/core/exchange.ts';
import { scanRequest } from '../../src/prompt/scan/scan.ts';
import { entryOf, fleetOf } from './fleet-under-test.ts';
import { answerAs, failedAt, ofSession, refusalOf, useRouting } from './routing-under-test.ts';
import { answeredOf, contextOf, failureOf, heldOf, tenantOf } from './scripted.ts';

/** Where a request goes while everybody is in service. */

const stage = useRouting();

function threadFrom(messageId: string | null): Partial<GatewayRequest> {
  const thread = messageId === null ? { type: 'create' } : { type: 'continue', previous_message_id: messageId };
  const messages = [{ role: 'user', content: 'Hi' }];
  const body = new TextEncoder().encode(JSON.stringify({ model: 'claude-opus-5', thread, messages }));
  const scan = scanRequest(body);
  if (scan.kind !== 'scanned') throw new Error(scan.code);
  return { body, prompt: scan.prompt };
}

describe('the layers within', () => {
  it('see the very request and the chosen upstream; the context outside stays without one', async () => {
    const service = stage.send();
    expect(await service).toEqual(answeredOf());
    expect(stage.reached[0]?.context.routed).toMatchObject({
      upstream: { id: 'a' },
      cacheDomain: 'a',
      credential: 'own',
    });
    expect(stage.context.routed).toBeNull();
    expect(stage.reached[0]?.context.timings).toBe(stage.context.timings);
    expect(stage.reached[0]?.context.notes).toBe(stage.context.notes);
  });

  it('are not entered where no upstream can be asked', async () => {
    stage.tenantAt();
    const outcome = await stage.send();
    expect(refusalOf(outcome)).toEqual({ code: 'upstream_unavailable', retryAfterSeconds: 1 });
    expect(stage.reached).toEqual([]);
  });
});

describe('a request', () => {
  it('goes where there is most room', async () => {
    stage.loads = { a: 60, b: 10, c: 30 };
    await stage.send();
    expect(stage.chosen()).toEqual(['b']);
  });

  it('goes where its prefix can be read', async () => {
    stage.depths = { c: { liveDepth: 3, seenDepth: 3 } };
    await stage.send();
    expect(stage.chosen()).toEqual(['c']);
  });

  it('asks nobody what they know where there is one upstream', async () => {
    stage.tenantAt('b');
    let asked = 0;
    stage.depths = { get b() { asked++; return { liveDepth: 1, seenDepth: 1 }; } }; // prettier-ignore
    await stage.send(ofSession('one'));
    expect([stage.chosen(), asked]).toEqual([['b'], 0]);
  });

  it('of a session goes where the last answer began, though there is more room elsewhere', async () => {
    stage.loads = { a: 10, b: 0, c: 10 };
    await stage.send(ofSession('one'));
    stage.loads = { a: 0, b: 10, c: 0 };
    await stage.send(ofSession('one'));
    await stage.send(ofSession('other'));
    expect(stage.chosen()).toEqual(['b', 'b', 'a']);
  });

  it('of another tenant’s session of the same name goes its own way', async () => {
    stage.loads = { a: 10, b: 0, c: 10 };
    await stage.send(ofSession('one'));
    stage.loads = { a: 0, b: 10, c: 10 };
    stage.context = contextOf(stage.clock, tenantOf({ id: 'globex', upstreams: ['a', 'b', 'c'] }));
    await stage.send(ofSession('one'));
    expect(stage.chosen()).toEqual(['b', 'a']);
  });

  it('of a session goes where an answer has begun that is still coming', async () => {
    stage.loads = { a: 10, b: 0, c: 10 };
    stage.answer = (_request, { onContent }) => (onContent('msg_1'), new Promise(() => {}));
    void stage.send(ofSession('one'));
    stage.loads = { a: 0, b: 10, c: 10 };
    void stage.send(ofSession('one'));
    expect(stage.chosen()).toEqual(['b', 'b']);
  });

  it('of a session that ran elsewhere for want of room does not take its session along', async () => {
    stage.loads = { a: 10, b: 0, c: 10 };
    await stage.send(ofSession('one'));
    stage.loads = { a: 0, b: 100, c: 50 };
    await stage.send(ofSession('one'));
    stage.loads = { a: 0, b: 1, c: 0 };
    await stage.send(ofSession('one'));
    expect(stage.chosen()).toEqual(['b', 'a', 'b']);
  });

  it('that goes on a message thread goes to the very key that has it, whatever the load', async () => {
    stage.loads = { a: 10, b: 0, c: 10 };
    stage.answer = answerAs('msg_of_b');
    await stage.send(threadFrom(null));
    stage.loads = { a: 0, b: 100, c: 0 };
    await stage.send(threadFrom('msg_of_b'));
    await stage.send(threadFrom('msg_of_nobody'));
    expect(stage.chosen()).toEqual(['b', 'b', 'a']);
  });

  it('that failed leaves no place behind: its session has run nowhere', async () => {
    stage.loads = { a: 10, b: 0, c: 10 };
    stage.answer = async () => heldOf(529, failureOf('overloaded'));
    await stage.send(ofSession('one'));
    stage.loads = { a: 0, b: 10, c: 10 };
    await stage.send(ofSession('one'));
    expect(stage.chosen()).toEqual(['b', 'a']);
  });

  it('that is asked again goes where it has not failed, though its session ran there', async () => {
    await stage.send(ofSession('one'));
    await stage.send(ofSession('one'), { attempt: failedAt('a') });
    await stage.send(ofSession('one'), { attempt: failedAt('a', 'b') });
    expect(stage.chosen()).toEqual(['a', 'b', 'c']);
  });

  it('that is bound to its place is asked there again, though it failed there', async () => {
    const thinking = { ...ofSession('one'), prompt: { tie: 'thinking' } as NonNullable<GatewayRequest['prompt']> };
    stage.loads = { a: 10, b: 0, c: 10 };
    await stage.send(thinking);
    stage.loads = {};
    await stage.send(thinking, { attempt: failedAt('b') });
    expect(stage.chosen()).toEqual(['b', 'b']);
  });

  it('that is bound to its place is asked again by another key of the same workspace', async () => {
    stage.fleet = fleetOf(entryOf('a', { cacheDomain: 'one' }), entryOf('b', { cacheDomain: 'one' }), entryOf('c'));
    const thinking = { ...ofSession('one'), prompt: { tie: 'thinking' } as NonNullable<GatewayRequest['prompt']> };
    await stage.send(thinking);
    await stage.send(thinking, { attempt: failedAt('a') });
    expect(stage.chosen()).toEqual(['a', 'b']);
  });

  it('that has failed everywhere is asked where it would be asked first', async () => {
    await stage.send({}, { attempt: failedAt('a', 'b', 'c') });
    expect(stage.chosen()).toEqual(['a']);
  });
});

describe('a request that is bound', () => {
  it('to an upstream goes there, and nowhere else, whoever serves the tenant', async () => {
    stage.tenantAt('a', 'b');
    await stage.send({}, { boundTo: { to: 'upstream', upstreamId: 'c' } });
    expect(stage.chosen()).toEqual(['c']);
    const outcome = await stage.send({}, { boundTo: { to: 'upstream', upstreamId: 'gone' } });
    expect(refusalOf(outcome)).toMatchObject({ code: 'upstream_unavailable' });
  });

  it('to a workspace goes to those of its upstreams that serve the tenant', async () => {
    stage.tenantAt('a', 'b');
    await stage.send({}, { boundTo: { to: 'workspace', upstreamId: 'b' } });
    expect(stage.chosen()).toEqual(['b']);
    const outcome = await stage.send({}, { boundTo: { to: 'workspace', upstreamId: 'c' } });
    expect(refusalOf(outcome)).toMatchObject({ code: 'upstream_unavailable' });
  });
});
