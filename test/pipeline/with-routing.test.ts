import { expect, it } from 'vitest';
import type { Context } from '../../src/pipeline/service.ts';
import type { RoutedUpstream } from '../../src/pipeline/upstream.ts';
import { withRouting, type Route } from '../../src/pipeline/with-routing.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { answeredOf, contextOf, createScriptedUpstream, requestOf, tenantOf } from './scripted.ts';

const ROUTED: RoutedUpstream = {
  upstream: createScriptedUpstream('spare'),
  credential: 'own',
  cacheDomain: 'workspace',
  stripsAttribution: true,
};

function routed(route: Route = () => ROUTED) {
  const context = contextOf(createFakeClock(), tenantOf({ upstreams: ['main', 'spare'] }));
  const reached: { request: unknown; context: Context }[] = [];
  const service = withRouting({ route })(async (request, inner) => {
    reached.push({ request, context: inner });
    return answeredOf({ status: 529 });
  });
  return { service, context, reached };
}

it('routing asks once for an upstream, naming those of the tenant in their order', async () => {
  const asked: (readonly string[])[] = [];
  const { service, context } = routed((upstreamIds) => (asked.push(upstreamIds), ROUTED));
  await service(requestOf(), context);
  expect(asked).toEqual([['main', 'spare']]);
});

it('the layers within see the chosen upstream and the very request', async () => {
  const { service, context, reached } = routed();
  const request = requestOf();
  await service(request, context);
  expect(reached).toHaveLength(1);
  expect(reached[0]?.request).toBe(request);
  expect(reached[0]?.context.routed).toBe(ROUTED);
});

it('nothing else of the context changes: what the layers within note in the timings is seen outside', async () => {
  const { service, context, reached } = routed();
  await service(requestOf(), context);
  expect({ ...reached[0]?.context, routed: null }).toEqual(context);
  expect(reached[0]?.context.timings).toBe(context.timings);
  expect(reached[0]?.context.reply).toBe(context.reply);
  expect(reached[0]?.context.signal).toBe(context.signal);
});

it('the context outside stays without an upstream: the next request may be routed elsewhere', async () => {
  const { service, context } = routed();
  await service(requestOf(), context);
  expect(context.routed).toBeNull();
});

it('the outcome is that of the layers within', async () => {
  const { service, context } = routed();
  expect(await service(requestOf(), context)).toEqual(answeredOf({ status: 529 }));
});
