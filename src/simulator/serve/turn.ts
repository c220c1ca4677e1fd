import type { AnswerScript } from '../answer/script.ts';
import type { CacheLookup } from '../cache/engine.ts';
import type { Fault } from '../faults/fault.ts';
import { type Bill, addInput } from '../observe/ledger.ts';
import type { Prompt } from '../prompt/build-prompt.ts';
import type { Ask } from '../validate/ask.ts';
import { share } from '../wire/digest.ts';
import type { Caller } from './caller.ts';
import type { Call, World } from './world.ts';

/**
 * One answer in the making: everything that was decided before prefill, and the three things that cost: looking up (limits,
 * refresh of what is read), beginning (entries, input), producing (output).
 */
export interface Turn {
  readonly call: Call;
  readonly world: World;
  readonly caller: Caller;
  readonly ask: Ask;
  readonly faults: readonly Fault[];
  readonly script: AnswerScript;
  readonly prompt: Prompt;
  readonly bill: Bill;
}

export function lookUp({ call, world, caller, ask, prompt }: Turn) {
  const { positions, marks } = prompt;
  const domain = `${caller.workspace}/${ask.model.id}`;
  const minTokens = ask.model.minCacheTokens;
  const request = { domain, minTokens, positions, marks, startedAtMs: call.startedAtMs };
  const seen = world.cache.peek(request);
  const readTokens = seen.kind === 'accepted' ? seen.lookup.usage.readTokens : 0;
  const admission = world.limits.admit(caller.workspace, ask.model, prompt.inputTokens - readTokens);
  if (admission.kind === 'refused')
    return { ...admission, headers: { ...admission.headers, ...limitHeaders({ world, caller, ask }) } };
  const outcome = world.cache.begin(request);
  // Markers were judged when the prompt was built; the engine judges them again for callers that bring their own positions.
  if (outcome.kind === 'refused') throw new Error(`unreachable: ${outcome.refusal.kind}`);
  return outcome;
}

export function prefillMs({ world, prompt }: Turn, lookup: CacheLookup): number {
  const { timing, seed } = world.settings;
  const uncached = prompt.inputTokens - lookup.usage.readTokens;
  const jitter = 1 + timing.jitter * (2 * share(`${prompt.contentDigest}/prefill`, seed) - 1);
  return (timing.firstTokenBaseMs + (uncached * timing.perUncachedInputTokenUs) / 1000) * jitter;
}

/** The answer begins: entries are written, input is billed. */
export function begin({ call, world, bill }: Turn, lookup: CacheLookup): void {
  world.cache.commit(lookup);
  addInput(bill, lookup.usage);
  call.observation.usage = { ...lookup.usage, outputTokens: 0 };
}

/** Bills what was produced since the last time it was told, wherever output is counted. */
export function outputMeter({ call, world, caller, ask, bill }: Turn): (tokens: number) => void {
  let billed = 0;
  return (tokens) => {
    const { observation } = call;
    if (tokens <= billed || !observation.usage) return;
    bill.outputTokens += tokens - billed;
    world.limits.spendOutput(caller.workspace, ask.model, tokens - billed);
    observation.usage = { ...observation.usage, outputTokens: tokens };
    billed = tokens;
  };
}

export function limitHeaders({ world, caller, ask }: Pick<Turn, 'world' | 'caller' | 'ask'>): Record<string, string> {
  return world.limits.headers(caller.workspace, ask.model);
}
