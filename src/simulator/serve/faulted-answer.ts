import { type Fault, faultOf } from '../faults/fault.ts';
import { type ErrorType, errorTypeOf, refuse } from '../wire/api-error.ts';
import { compressed, createEncode } from './encoding.ts';
import { play } from './play.ts';
import { messageOf, type Step } from './score.ts';
import { wait } from './wait.ts';
import type { Call, Reply, World } from './world.ts';

/** Answers that faults put in the place of the model's, and the model's JSON damaged by them. */
export async function answerInstead(
  call: Call,
  world: World,
  faults: readonly Fault[],
): Promise<Reply | { kind: 'none' }> {
  const instead = replacement(faults);
  if (instead.kind === 'none') return instead;
  const stallMs = faultOf(faults, 'stall-headers')?.ms ?? 0;
  const waited = await wait(world.clock, stallMs, call.request.signal);
  world.observations.end(call.observation, waited === 'aborted' ? 'aborted' : 'faulted', world.clock.nowMs());
  return instead;
}

function replacement(faults: readonly Fault[]): Reply | { kind: 'none' } {
  const status = faultOf(faults, 'status');
  if (status) {
    const code = status.errorCode === '' ? {} : { errorCode: status.errorCode };
    return refuse(status.status, messageOf(errorTypeOf(status.status)), { headers: status.headers, ...code });
  }
  const html = faultOf(faults, 'html');
  if (html) {
    const page = `<html>\r\n<head><title>${html.status} Bad Gateway</title></head>\r\n<body><h1>${html.status} Bad Gateway</h1></body>\r\n</html>\r\n`;
    return {
      kind: 'whole',
      response: new Response(page, { status: html.status, headers: { 'content-type': 'text/html' } }),
    };
  }
  const redirect = faultOf(faults, 'redirect');
  if (redirect) {
    const headers = { location: redirect.to };
    return { kind: 'whole', response: new Response(null, { status: redirect.status, headers }) };
  }
  return { kind: 'none' };
}

const STATUS_OF_TYPE: Readonly<Record<string, number>> = {
  overloaded_error: 529,
  rate_limit_error: 429,
  timeout_error: 504,
};

/** The JSON answer, or what the stream faults mean for it: half of it, then a break or an end; an error as a status. */
export function brokenWhole(
  call: Call,
  world: World,
  faults: readonly Fault[],
  json: string,
  headers: Readonly<Record<string, string>>,
): Reply {
  const failed = faultOf(faults, 'error-in-stream');
  const cut = faultOf(faults, 'cut');
  const end: Step = cut ? { kind: 'break', dueMs: 0 } : { kind: 'end', dueMs: 0, outcome: 'complete' };
  if (failed) {
    world.observations.end(call.observation, 'faulted', world.clock.nowMs());
    const type = failed.type as ErrorType;
    return { ...refuse(STATUS_OF_TYPE[type] ?? 500, messageOf(type)), type, headers };
  }
  const half = json.slice(0, Math.floor(json.length / 2));
  if (cut) return jsonBody(call, world, faults, half, end, headers);
  if (faultOf(faults, 'end-early'))
    return jsonBody(call, world, faults, half, { ...end, outcome: 'faulted' } as Step, headers);
  if (faultOf(faults, 'gzip') || faultOf(faults, 'tiny-chunks'))
    return jsonBody(call, world, faults, json, end, headers);
  return {
    kind: 'whole',
    response: new Response(json, { headers: { 'content-type': 'application/json', ...headers } }),
  };
}

function jsonBody(
  call: Call,
  world: World,
  faults: readonly Fault[],
  text: string,
  end: Step,
  headers: Readonly<Record<string, string>>,
): Reply {
  const body = play({
    steps: [{ kind: 'text', dueMs: 0, text }, end],
    clock: world.clock,
    signal: call.request.signal,
    encode: createEncode(faults),
    onTokens: () => undefined,
    onEnd: (outcome) => world.observations.end(call.observation, outcome, world.clock.nowMs()),
  });
  const gzip = faultOf(faults, 'gzip') !== undefined;
  const encoding: Record<string, string> = gzip ? { 'content-encoding': 'gzip' } : {};
  const all = { 'content-type': 'application/json', ...headers, ...encoding };
  return { kind: 'streaming', response: new Response(gzip ? compressed(body) : body, { headers: all }) };
}
