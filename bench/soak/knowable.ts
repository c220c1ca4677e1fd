// What a client can know of one call's bill (docs: streaming, errors): `message_start` tells the input and one token of
// output, `message_delta` the whole; a JSON answer tells all or nothing. A caller that hangs up ends the reading where the
// gateway's tenant says so (`hangUp`). Everything that arrived whole is known exactly.

import type { HangUpPolicy } from '../../src/core/tenant.ts';
import type { Observation } from '../../src/simulator/observe/observations.ts';
import { billedTokens, exactly, noTokens, type TokenRange, type Tokens } from './tokens.ts';

/** `known`: all of it; the rest names what broke the knowledge off. */
export type Knowledge = 'known' | 'broken_stream' | 'cancelled_stream' | 'broken_json' | 'left_unseen';

export interface CallFacts {
  readonly call: Pick<Observation, 'outcome' | 'usage'>;
  readonly isStream: boolean;
  /** What the load did: heard the answer out, or hung up before or after it had seen content. */
  readonly hearing: 'to_the_end' | 'left_after_content' | 'left_unseen';
  readonly hangUp: HangUpPolicy;
}

export interface Knowable {
  readonly knowledge: Knowledge;
  readonly tokens: TokenRange;
}

/** What `message_start` says of the output. */
const OPENING_OUTPUT_TOKENS = 1;

export function knowableOf({ call, isStream, hearing, hangUp }: CallFacts): Knowable {
  const billed = billedTokens(call.usage);
  if (!call.usage) return { knowledge: 'known', tokens: exactly(billed) };
  if (hearing === 'left_unseen') return { knowledge: 'left_unseen', tokens: { low: noTokens(), high: heard(billed) } };
  const isWhole = call.outcome === 'complete';
  if (isWhole && (hearing === 'to_the_end' || hangUp === 'drain'))
    return { knowledge: 'known', tokens: exactly(billed) };
  if (!isStream) return { knowledge: 'broken_json', tokens: exactly(noTokens()) };
  const opening = { ...billed, output: OPENING_OUTPUT_TOKENS };
  if (call.outcome === 'faulted') return { knowledge: 'broken_stream', tokens: exactly(opening) };
  return { knowledge: 'cancelled_stream', tokens: { low: opening, high: heard(billed) } };
}

/** The most that was said: at least the token of `message_start`, which the simulator bills only once it is produced. */
function heard(billed: Tokens): Tokens {
  return { ...billed, output: Math.max(billed.output, OPENING_OUTPUT_TOKENS) };
}
