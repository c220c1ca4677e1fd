/**
 * Learning how soon a prefix is met again, without bias towards quick returns. Each expectation is watched for an hour
 * at eight ages. At age e_j every count it belongs to gains an exposure of the share of returns that fall into
 * (e_{j-1}, e_j], and a return if its own fell there: so young expectations count for as much as they have shown, and
 * returns / exposures estimates p at any moment (E[returns by age a] = p · F(a)).
 */
export const AGES_MS: readonly number[] = [20, 60, 150, 300, 600, 1200, 2400, 3600].map((seconds) => seconds * 1000);
const SHORT_AGES = 4;
const SHARED_LIMIT = 4096;

/**
 * `short`: met again within 5 minutes; `long`: within 5 to 60 minutes, of those not met in 5. Exact returns extend the very
 * prefix; conversation returns may have edited its end.
 */
export interface ReturnCounts {
  shortSeen: number;
  shortReturns: number;
  shortConversations: number;
  longSeen: number;
  longReturns: number;
  longConversationsSeen: number;
  longConversations: number;
}

export interface Expectation {
  readonly atMs: number;
  readonly counts: readonly ReturnCounts[];
  /** Index into AGES_MS of the return, or -1 while there was none. */
  exact: number;
  conversation: number;
}

export interface ExpectationQueues {
  readonly waiting: { items: Expectation[]; first: number }[];
  /** Returns by age, for the shape F. */
  readonly shape: Float64Array;
  open: number;
}

/** More than this at once are not watched: memory is bounded by it, and the estimates don't need more. */
const MAX_OPEN = 262_144;
/** Returns thin out with time: pseudo-counts until traffic has shown its own shape. */
const SHAPE_PRIOR = [14, 10, 6, 4, 12, 9, 7, 4];

export function createExpectationQueues(): ExpectationQueues {
  return {
    waiting: AGES_MS.map(() => ({ items: [], first: 0 })),
    shape: Float64Array.from(SHAPE_PRIOR),
    open: 0,
  };
}

export function createReturnCounts(): ReturnCounts {
  return {
    shortSeen: 0,
    shortReturns: 0,
    shortConversations: 0,
    longSeen: 0,
    longReturns: 0,
    longConversationsSeen: 0,
    longConversations: 0,
  };
}

export function watch(queues: ExpectationQueues, atMs: number, counts: readonly ReturnCounts[]): Expectation {
  const expectation = { atMs, counts, exact: -1, conversation: -1 };
  if (queues.open < MAX_OPEN) {
    queues.open++;
    queues.waiting[0]?.items.push(expectation);
  }
  return expectation;
}

/** The prefix was met again; the first time counts. */
export function markReturn(
  queues: ExpectationQueues,
  met: Expectation,
  kind: 'exact' | 'conversation',
  nowMs: number,
): void {
  if (met[kind] >= 0) return;
  const age = AGES_MS.findIndex((edge) => nowMs - met.atMs <= edge);
  if (age < 0) return;
  met[kind] = age;
  if (kind === 'exact') countShape(queues.shape, age);
}

function countShape(shape: Float64Array, age: number): void {
  shape[age] = (shape[age] ?? 0) + 1;
  const from = age < SHORT_AGES ? 0 : SHORT_AGES;
  let total = 0;
  for (let index = from; index < from + SHORT_AGES; index++) total += shape[index] ?? 0;
  if (total < SHARED_LIMIT) return;
  for (let index = from; index < from + SHORT_AGES; index++) shape[index] = (shape[index] ?? 0) / 2;
}

/** Lets every expectation that has come of age by `nowMs` tell its counts. */
export function settle(queues: ExpectationQueues, nowMs: number): void {
  queues.waiting.forEach((queue, age) => {
    const share = shareOf(queues.shape, age);
    const edge = AGES_MS[age] ?? 0;
    for (; queue.first < queue.items.length; queue.first++) {
      const item = queue.items[queue.first];
      if (!item || item.atMs + edge >= nowMs) break; // a return at the very edge is still to come
      for (const counts of item.counts) tell(counts, item, age, share);
      const next = queues.waiting[age + 1];
      if (next) next.items.push(item);
      else queues.open--;
    }
    if (queue.first > 1024 && queue.first * 2 > queue.items.length) {
      queue.items = queue.items.slice(queue.first);
      queue.first = 0;
    }
  });
}

function shareOf(shape: Float64Array, age: number): number {
  const from = age < SHORT_AGES ? 0 : SHORT_AGES;
  let total = 0;
  for (let index = from; index < from + SHORT_AGES; index++) total += shape[index] ?? 0;
  return (shape[age] ?? 0) / total;
}

function tell(counts: ReturnCounts, item: Expectation, age: number, share: number): void {
  if (age < SHORT_AGES) {
    counts.shortSeen += share;
    if (item.exact === age) counts.shortReturns++;
    if (item.conversation === age) counts.shortConversations++;
    if (counts.shortSeen > SHARED_LIMIT) halve(counts);
    return;
  }
  if (item.exact < 0 || item.exact >= SHORT_AGES) counts.longSeen += share;
  if (item.conversation < 0 || item.conversation >= SHORT_AGES) counts.longConversationsSeen += share;
  if (item.exact === age) counts.longReturns++;
  if (item.conversation === age) counts.longConversations++;
}

/** Old traffic fades: what was learned last week must not outvote today. */
function halve(counts: ReturnCounts): void {
  counts.shortSeen /= 2;
  counts.shortReturns /= 2;
  counts.shortConversations /= 2;
  counts.longSeen /= 2;
  counts.longReturns /= 2;
  counts.longConversationsSeen /= 2;
  counts.longConversations /= 2;
}
