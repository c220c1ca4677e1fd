import { Hono } from 'hono';
import { identify } from './serve/caller.ts';
import { cancelFaults, orderFault, state } from './serve/control.ts';
import { countTokens } from './serve/count-tokens.ts';
import { serveMessages } from './serve/messages.ts';
import { listModels, oneModel } from './serve/model-list.ts';
import { type Call, type Handler, type Reply, whole, type World } from './serve/world.ts';
import { ORGANIZATION } from './settings.ts';
import { errorBody, refuse } from './wire/api-error.ts';

/** Every route of the simulator. A call is observed from its arrival; every answer carries its `request-id`. */
export function createApp(world: World, reset: () => void): Hono {
  const app = new Hono();
  const route = (handler: Handler) => (context: { req: { raw: Request } }) => answer(context.req.raw, world, handler);

  app.post('/v1/messages', route(serveMessages));
  app.post('/v1/messages/count_tokens', route(countTokens));
  app.get('/v1/models', route(listModels));
  app.get('/v1/models/:id', route(oneModel));
  app.get(
    '/api/hello',
    route(() => whole({ message: 'hello' })),
  );
  app.get(
    '/',
    route(() => whole({})),
  );

  app.post('/_simulator/faults', async (context) => render(await orderFault(context.req.raw, world), 'control'));
  app.delete('/_simulator/faults', () => render(cancelFaults(world), 'control'));
  app.get('/_simulator/state', () => render(state(world), 'control'));
  app.post('/_simulator/reset', () => {
    reset();
    return render(whole({ reset: true }), 'control');
  });

  app.notFound(route(({ observation }) => refuse(404, `Not found: ${observation.method} ${observation.path}`)));
  return app;
}

async function answer(request: Request, world: World, handler: Handler): Promise<Response> {
  const requestId = world.nextId('req_011C');
  const startedAtMs = world.clock.nowMs();
  const observation = world.observations.open(request, requestId, startedAtMs);
  const caller = identify(request.headers, world.settings.workspaces);
  const call: Call = { request, requestId, observation, startedAtMs, caller };
  const reply = await handled(call, world, handler);
  if (reply.kind !== 'streaming') {
    world.observations.end(observation, reply.kind === 'refused' ? 'refused' : 'complete', world.clock.nowMs());
  }
  const response = render(reply, requestId);
  if (caller.kind === 'caller') response.headers.set('anthropic-workspace-id', caller.workspace);
  observation.status = response.status;
  return response;
}

/** A caller that goes away while its body is read makes the reading throw; anything else thrown is a fault of ours. */
async function handled(call: Call, world: World, handler: Handler): Promise<Reply> {
  try {
    return await handler(call, world);
  } catch (error) {
    world.observations.end(call.observation, 'aborted', world.clock.nowMs());
    if (!call.request.signal.aborted) throw error;
    return { kind: 'whole', response: new Response(null, { status: 499 }) };
  }
}

function render(reply: Reply, requestId: string): Response {
  const response =
    reply.kind === 'refused'
      ? Response.json(errorBody(reply, requestId), { status: reply.status, headers: { ...reply.headers } })
      : reply.response;
  response.headers.set('request-id', requestId);
  response.headers.set('anthropic-organization-id', ORGANIZATION);
  return response;
}
