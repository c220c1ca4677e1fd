import type { Ttl } from '../core/scanned-prompt.ts';

/**
 * The vocabulary of placement: what the planner sees of one request and what it answers.
 * Positions run in prefix order (tools, system, messages); `hashes[i]` names the whole prefix that ends with position i, so
 * equal hashes are equal prefixes. Depth counts positions: the prefix of depth d ends with position d - 1, depth 0 is empty.
 */
export const TTL_MS: Readonly<Record<Ttl, number>> = { '5m': 300_000, '1h': 3_600_000 };

/** Docs: prompt caching, "what can be cached": four breakpoints, the automatic one among them. */
export const MAX_MARKS = 4;

export interface Mark {
  /** Index of the position that carries the marker. */
  readonly at: number;
  readonly ttl: Ttl;
}

export interface PromptView {
  /** Cache domain, model and the fields that key a cache: prompts with different keys never share an entry. */
  readonly key: string;
  readonly tenant: string;
  /** 53-bit chain hashes. */
  readonly hashes: ArrayLike<number>;
  /** Tokens of the prefix that ends with each position. */
  readonly tokens: ArrayLike<number>;
  /** 0 where no marker may stand (thinking, empty text), else 1. */
  readonly markable: ArrayLike<number>;
  /** How many leading positions are tools and system. */
  readonly systemEnd: number;
  readonly clientMarks: readonly Mark[];
  /** TTL of the top-level `cache_control`; it lands on the last markable position and takes one of the four slots. */
  readonly automatic: Ttl | null;
  /** All markers of the client where some stand on no position of their own (nested ones); else left out. */
  readonly clientMarkers?: number;
}

/** Does a 1h entry written above a living 5m entry keep the whole prefix alive for the hour? Not documented. */
export type Prolong = boolean | 'learn';

export interface PlanRules {
  /** Fewest tokens a prefix must have to be cached by this model. */
  readonly minimumTokens: number;
  /** Prices as multiples of the input price. */
  readonly read: number;
  readonly write5m: number;
  readonly write1h: number;
  readonly prolong: Prolong;
  /** The only TTL that may be planned; `auto` or left out: whichever costs less. */
  readonly ttl?: Ttl | 'auto';
}

/**
 * Why a marker stands where it does. `live`: the deepest entry that can be read, so that the look-back cannot miss it;
 * `system` and `head`: where different conversations part; `seen`: the deepest prefix met before; `stable`: short of the last positions, which successors do not keep; `tail`: likely to be
 * extended; `keep`: a small 1h write that keeps a long 5m prefix alive; `probe`: the same, to learn whether it does.
 */
export type MarkReason = 'live' | 'system' | 'head' | 'seen' | 'stable' | 'tail' | 'keep' | 'probe';

export interface PlannedMark extends Mark {
  readonly why: MarkReason;
}

/** Why a plan is as it is, as a whole: `planned`, or the one thing that left it without a marker of ours. */
export type PlanOutcome =
  'planned' | 'below-minimum' | 'not-worth-it' | 'being-written' | 'no-free-slot' | 'client-marks-refused';

export interface PlanForecast {
  readonly readTokens: number;
  readonly write5mTokens: number;
  readonly write1hTokens: number;
  readonly uncachedTokens: number;
  /** Tokens of input price that the writes of this plan are expected to save later, net of what they cost now. */
  readonly laterSavingTokens: number;
}

export interface Plan {
  /** The markers to add; the client's own are not among them. */
  readonly marks: readonly PlannedMark[];
  readonly outcome: PlanOutcome;
  readonly expected: PlanForecast;
  /** Depth of the deepest prefix another request is writing right now: worth waiting for. 0 if there is none. */
  readonly pendingDepth: number;
}

export function tokensTo(view: PromptView, depth: number): number {
  return depth > 0 ? (view.tokens[depth - 1] ?? 0) : 0;
}

/** All the markers the API will count: the client's, the automatic one and `added`, in prefix order. */
export function allMarks(view: PromptView, added: readonly Mark[]): Mark[] {
  const automaticAt = view.automatic === null ? -1 : lastMarkable(view, view.hashes.length);
  const marks = [...view.clientMarks, ...added];
  const isNoOp = marks.some((mark) => mark.at === automaticAt); // docs: automatic caching, edge cases
  if (view.automatic !== null && automaticAt >= 0 && !isNoOp) marks.push({ at: automaticAt, ttl: view.automatic });
  return marks.sort((a, b) => a.at - b.at);
}

/** The last position below `depth` that may carry a marker, or -1. */
export function lastMarkable(view: PromptView, depth: number): number {
  let at = depth - 1;
  while (at >= 0 && view.markable[at] !== 1) at--;
  return at;
}
