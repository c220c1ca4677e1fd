import { beforeEach, describe, expect, it } from 'vitest';
import type { GatewayRequest, Outcome } from '../../src/core/exchange.ts';
import type { ObjectCall } from '../../src/core/owned-objects.ts';
import { callUpstream } from '../../src/pipeline/call-upstream.ts';
import type { Context, Service } from '../../src/pipeline/service.ts';
import { withOwnership, type OwnershipOptions } from '../../src/pipeline/with-ownership.ts';
import { createMemoryOwnership } from '../../src/state/memory-ownership.ts';
import type { Ownership } from '../../src/state/ownership.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';
import { entryOf } from './fleet-under-test.ts';
import { answeredOf, contextOf, createRecordedMetrics, createScriptedUpstream, requestOf, tenantOf } from './scripted.ts'; // prettier-ignore
import { createTenantLabels } from '../../src/metrics/labels.ts';
import { createRetryBudget } from '../../src/core/failures/retry-budget.ts';

let clock: FakeClock;
let ownership: Ownership;
let seen: { request: GatewayRequest; context: Context }[];
beforeEach(() => {
  clock = createFakeClock();
  ownership = createMemoryOwnership(clock);
  seen = [];
});

const HERE = { gatewayUrl: 'http://here.test' };
const file = (does: 'read' | 'download' | 'delete', id = 'f1'): ObjectCall => ({ of: 'files', does, id, ...HERE });
const requestFor = (object: ObjectCall): GatewayRequest =>
  requestOf({ operation: object.of, method: 'GET', target: `/v1/${object.of}`, body: null, object });

function layered(inner: Service, options: Partial<OwnershipOptions> = {}): Service {
  const relayLimits = () => ({ streamIdleMs: 1_000 });
  const uploadStallMs = () => 1_000;
  return withOwnership({ clock, ownership, mode: () => 'managed', uploadStallMs, relayLimits, ...options })(inner);
}

const answering =
  (outcome: Outcome): Service =>
  async (request, context) => {
    seen.push({ request, context });
    return outcome;
  };

describe('an object', () => {
  it('whose owner cannot be looked up is refused for now, and not denied', async () => {
    const unreachable: Ownership = {
      ...ownership,
      find: async () => ({ kind: 'unreachable' }),
      list: async () => ({ kind: 'unreachable' }),
    };
    const service = layered(answering(answeredOf()), { ownership: unreachable });
    for (const object of [file('read'), { of: 'batches', does: 'list', ...HERE } as const]) {
      expect(await service(requestFor(object), contextOf(clock))).toEqual({
        kind: 'refused',
        refusal: { code: 'ownership_unknown', retryAfterSeconds: 1 },
      });
    }
    expect(seen).toEqual([]);
  });

  it('of the tenant’s is asked for at its own upstream', async () => {
    await ownership.claim('acme', 'files', { id: 'f1', upstreamId: 'second' });
    await layered(answering(answeredOf()))(requestFor(file('read')), contextOf(clock));
    expect(seen[0]?.context.boundTo).toEqual({ to: 'upstream', upstreamId: 'second' });
  });

  it('is forgotten when it has been deleted, and not when that failed', async () => {
    await ownership.claim('acme', 'files', { id: 'f1', upstreamId: 'main' });
    const deleted = async (outcome: Outcome): Promise<string> => {
      await layered(answering(outcome))(requestFor(file('delete')), contextOf(clock));
      return (await ownership.find('acme', 'files', 'f1')).kind;
    };
    expect(await deleted(answeredOf({ status: 404 }))).toBe('owned');
    expect(await deleted({ kind: 'abandoned' })).toBe('owned');
    expect(await deleted(answeredOf({ status: 200, end: 'client_abort' }))).toBe('not_owned');
  });

  it('is anybody’s in pass-through mode, where each caller has a key of its own', async () => {
    const service = layered(answering(answeredOf()), { mode: () => 'pass-through' });
    await service(requestFor(file('read')), contextOf(clock));
    expect(seen[0]?.context.boundTo).toBeUndefined();
  });
});

describe('what is made', () => {
  const upstream = createScriptedUpstream();
  const create: ObjectCall = { of: 'files', does: 'create', ...HERE };

  it('is claimed before its caller hears of it', async () => {
    const claimed = Promise.withResolvers<void>();
    const slow: Ownership = { ...ownership, claim: () => claimed.promise };
    const context = contextOf(clock, tenantOf());
    const { routed } = entryOf('main', { upstream });
    const call = callUpstream({
      clock,
      metrics: createRecordedMetrics(),
      tenantLabels: createTenantLabels(),
      relayLimits: () => ({ streamIdleMs: 1_000, hangUpDrainMs: 1_000 }),
      stopped: new AbortController().signal,
      retryBudget: createRetryBudget(),
      maxRetries: () => 0,
      random: () => 0,
    });
    const service = layered((request, inner) => call(request, { ...inner, routed }), { ownership: slow });
    const outcome = service({ ...requestFor(create), method: 'POST' }, context);
    await clock.advance(0);
    upstream.head(200, { 'content-type': 'application/json' });
    upstream.chunk('{"id":"f1"}');
    upstream.end({ kind: 'ended' });
    await clock.advance(0);
    expect(context.reply.isOpen).toBe(false);
    claimed.resolve();
    expect(await outcome).toMatchObject({ kind: 'answered', status: 200, end: 'complete' });
    expect(context.reply.text).toBe('{"id":"f1"}');
  });

  it('goes to the workspace of the tenant’s first upstream: a prompt can only name files of one', async () => {
    const context = contextOf(clock, tenantOf({ upstreams: ['second', 'main'] }));
    await layered(answering(answeredOf()))(requestFor(create), context);
    expect(seen[0]?.context.boundTo).toEqual({ to: 'workspace', upstreamId: 'second' });
  });

  it('is not waited for when its caller is gone: half of it would be nobody’s', async () => {
    await layered(answering(answeredOf()))(requestFor(create), contextOf(clock, tenantOf({ hangUp: 'drain' })));
    expect(seen[0]?.context.tenant.hangUp).toBe('cancel');
  });

  it('leaves no timer when the upstream has answered before all of it has come', async () => {
    async function* body(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(1);
      await new Promise<void>(() => {});
    }
    const refusing: Service = async (request) => {
      if (request.body instanceof Uint8Array || request.body === null) throw new Error('no stream');
      const pieces = request.body[Symbol.asyncIterator]();
      await pieces.next();
      pieces.next().catch(() => {});
      return answeredOf({ status: 413 });
    };
    const request = { ...requestFor(create), method: 'POST', body: body() };
    expect(await layered(refusing)(request, contextOf(clock))).toMatchObject({ status: 413 });
    await clock.advance(0);
    expect(clock.pending).toBe(0);
  });
});

describe('a batch', () => {
  const create: ObjectCall = { of: 'batches', does: 'create', ...HERE };

  it('asks once about a file, however many of its items name it', async () => {
    await ownership.claim('acme', 'files', { id: 'f1', upstreamId: 'main' });
    const asked: string[] = [];
    const find: Ownership['find'] = (tenantId, kind, id) => {
      asked.push(id);
      return ownership.find(tenantId, kind, id);
    };
    async function* body(): AsyncGenerator<Uint8Array> {
      for (let item = 0; item < 3; item++) yield new TextEncoder().encode('[{"source":{"file_id":"f1"}}],');
    }
    const reading: Service = async (request) => {
      if (request.body instanceof Uint8Array || request.body === null) throw new Error('no stream');
      for await (const _piece of request.body);
      return answeredOf();
    };
    const service = layered(reading, { ownership: { ...ownership, find } });
    await service({ ...requestFor(create), method: 'POST', body: body() }, contextOf(clock));
    expect(asked).toEqual(['f1']);
  });
});

describe('a file that code has made', () => {
  const download: ObjectCall = { of: 'batches', does: 'download', id: 'b1', ...HERE };
  const told = '{"type":"code_execution_output","file_id":"f1"}';

  /** An answer that is written in these pieces, with claims that take their time. */
  async function answer(pieces: readonly string[], { isPatient = true } = {}) {
    await ownership.claim('acme', 'batches', { id: 'b1', upstreamId: 'main' });
    const claims: PromiseWithResolvers<void>[] = [];
    const claim: Ownership['claim'] = () => {
      const claimed = Promise.withResolvers<void>();
      claims.push(claimed);
      return claimed.promise;
    };
    const writing: Service = async (_request, { reply, notes }) => {
      notes.upstream = 'main';
      reply.open({ status: 200, headers: {} });
      for (const piece of pieces) {
        const hasRoom = reply.write(new TextEncoder().encode(piece));
        if (!hasRoom && isPatient) await new Promise<void>((resolve) => reply.onDrain(resolve));
      }
      await reply.end();
      return answeredOf();
    };
    const context = contextOf(clock);
    const outcome = layered(writing, { ownership: { ...ownership, claim } })(requestFor(download), context);
    await clock.advance(0);
    return { reply: context.reply, claims, outcome };
  }

  it('is claimed before its caller reads of it, and what came before is not kept back', async () => {
    const { reply, claims, outcome } = await answer(['before ', told, ' behind']);
    expect(reply.text).toBe('before ');
    claims[0]?.resolve();
    await outcome;
    expect(reply).toMatchObject({ text: `before ${told} behind`, ending: 'ended' });
  });

  it('waits for a slow reader after it has waited for its claim', async () => {
    const { reply, claims, outcome } = await answer([told, ' behind']);
    reply.fill();
    claims[0]?.resolve();
    await clock.advance(0);
    expect(reply.text).toBe(told);
    reply.drain();
    await outcome;
    expect(reply.text).toBe(`${told} behind`);
  });

  it('keeps back all that is written meanwhile, and the end, until every file is claimed', async () => {
    const { reply, claims, outcome } = await answer([told, told.replace('f1', 'f2'), ' behind'], { isPatient: false });
    claims[0]?.resolve();
    await clock.advance(0);
    expect(reply).toMatchObject({ text: '', ending: 'open' });
    claims[1]?.resolve();
    await outcome;
    expect(reply).toMatchObject({ text: `${told}${told.replace('f1', 'f2')} behind`, ending: 'ended' });
  });
});
