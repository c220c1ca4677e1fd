import { eventsOf } from '../answer/events.ts';
import { type Envelope, wholeMessage } from '../answer/message.ts';
import { type Answer, planAnswer } from '../answer/plan-answer.ts';
import { readScript } from '../answer/script.ts';
import { faultOf } from '../faults/fault.ts';
import { buildPrompt } from '../prompt/build-prompt.ts';
import { invalid } from '../wire/api-error.ts';
import { compressed, createEncode } from './encoding.ts';
import { answerInstead, brokenWhole } from './faulted-answer.ts';
import { chooseFaults } from './faults-of-call.ts';
import { play } from './play.ts';
import { check, readAsk } from './read-ask.ts';
import { neverBegins, writeScore } from './score.ts';
import { begin, limitHeaders, lookUp, outputMeter, prefillMs, type Turn } from './turn.ts';
import { wait } from './wait.ts';
import type { Call, Reply, World } from './world.ts';

/**
 * POST /v1/messages. The order is the API's: who, what, limits, then prefill, and with the end of prefill the answer begins:
 * from there its cache entries are readable and its input is billed. Whatever stops a call before leaves no trace but a refresh
 * of the entries it read.
 */
export async function serveMessages(call: Call, world: World): Promise<Reply> {
  const { caller } = call;
  if (caller.kind === 'refused') return caller;
  const asked = await readAsk(call, world, 'messages');
  if (asked.kind === 'refused') return asked;
  const bill = world.ledger.bill(caller.workspace, asked.ask.model.id);
  bill.attempts += 1;
  const faults = chooseFaults(call, world, caller, asked.ask);
  if (faults.kind === 'refused') return faults;
  const instead = await answerInstead(call, world, faults.faults);
  if (instead.kind !== 'none') return instead;
  const valid = check(asked, world);
  const script = readScript(call.request.headers);
  if (valid.kind === 'refused') return valid;
  if (script.kind === 'refused') return script;
  const prompt = buildPrompt(asked.ask.body, asked.ask.model, asked.ask.betas);
  if (prompt.kind === 'refused') return prompt;
  const { contextTokens } = asked.ask.model;
  if (prompt.inputTokens > contextTokens) {
    return invalid(`prompt is too long: ${prompt.inputTokens} tokens > ${contextTokens} maximum`);
  }
  return answerPrompt({ call, world, caller, ask: asked.ask, faults: faults.faults, script, prompt, bill });
}

async function answerPrompt(turn: Turn): Promise<Reply> {
  const { call, world, ask, prompt, faults } = turn;
  const lookup = lookUp(turn);
  if (lookup.kind === 'refused') return lookup;
  const answer = planAnswer({
    ...turn,
    body: ask.body,
    model: ask.model,
    content: prompt.contentDigest,
    seed: world.settings.seed,
  });
  const stallMs = faultOf(faults, 'stall-headers')?.ms ?? 0;
  const prefill = await wait(world.clock, prefillMs(turn, lookup.lookup) + stallMs, call.request.signal);
  if (prefill === 'aborted') return gone(turn);
  const isStream = ask.body['stream'] === true;
  if (!neverBegins(faults, isStream)) begin(turn, lookup.lookup);
  const envelope: Envelope = {
    id: world.nextId('msg_01'),
    modelId: ask.model.id,
    input: lookup.lookup.usage,
    speed: ask.body['speed'] === 'fast' && ask.model.fastMode !== 'ignored' ? 'fast' : 'standard',
    dropped: prompt.dropped,
  };
  return isStream ? stream(turn, envelope, answer) : answerWhole(turn, envelope, answer);
}

function stream(turn: Turn, envelope: Envelope, answer: Answer): Reply {
  const { call, world, ask, faults } = turn;
  const events = eventsOf(envelope, answer, ask.model, world.settings.seed);
  const { perOutputTokenMs, pingEveryMs } = world.settings.timing;
  const body = play({
    steps: writeScore(events, faults, { msPerToken: perOutputTokenMs, pingEveryMs }, call.requestId),
    clock: world.clock,
    signal: call.request.signal,
    encode: createEncode(faults),
    onTokens: outputMeter(turn),
    onEnd: (outcome) => {
      world.observations.openStreams -= 1;
      world.observations.end(call.observation, outcome, world.clock.nowMs());
    },
  });
  world.observations.openStreams += 1;
  const gzip = faultOf(faults, 'gzip') !== undefined;
  const headers = {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    ...limitHeaders(turn),
  };
  const encoding: Record<string, string> = gzip ? { 'content-encoding': 'gzip' } : {};
  return {
    kind: 'streaming',
    response: new Response(gzip ? compressed(body) : body, { headers: { ...headers, ...encoding } }),
  };
}

async function answerWhole(turn: Turn, envelope: Envelope, answer: Answer): Promise<Reply> {
  const { call, world, faults } = turn;
  const { perOutputTokenMs } = world.settings.timing;
  const meter = outputMeter(turn);
  const decodeMs = answer.outputTokens * perOutputTokenMs;
  const startedMs = world.clock.nowMs();
  const waited = await wait(world.clock, decodeMs + (faultOf(faults, 'stall')?.ms ?? 0), call.request.signal);
  if (waited === 'aborted') {
    const share = decodeMs === 0 ? 1 : Math.min(1, (world.clock.nowMs() - startedMs) / decodeMs);
    meter(Math.floor(answer.outputTokens * share));
    return gone(turn);
  }
  if (!neverBegins(faults, false)) meter(answer.outputTokens);
  return brokenWhole(call, world, faults, JSON.stringify(wholeMessage(envelope, answer)), limitHeaders(turn));
}

/** Nobody is there to read this; the status is that of reverse proxies for a client that closed the request. */
function gone({ call, world }: Turn): Reply {
  world.observations.end(call.observation, 'aborted', world.clock.nowMs());
  return { kind: 'whole', response: new Response(null, { status: 499 }) };
}
