import { CACHE_TTL_MS, type CacheHit, type CacheMark, type CacheRequest } from './cache-types.ts';
import type { CacheUsage, MarkRefusal } from './cache-types.ts';
import { type CacheEntry, createEntryStore, type EntryStore, extend, isReadable, prolong, refresh } from './entries.ts';
import { checkMarks, inPrefixOrder } from './marks.ts';

/**
 * Claude's prompt cache as documented, on abstract positions, without a clock: time is what the requests say.
 * A request is looked up when it starts (`begin`) and writes when its answer begins (`commit`); one that fails before
 * that is simply never committed, so parallel requests on a cold prefix all miss and all pay.
 */
export interface CacheEngine {
  /** What `begin` would answer, without touching an entry. */
  peek(request: CacheRequest): CacheOutcome;
  /** Looks up and refreshes what is read. */
  begin(request: CacheRequest): CacheOutcome;
  /** Makes this request's entries readable: the answer has begun. */
  commit(lookup: CacheLookup): void;
  clear(): void;
  readonly entries: number;
}

type CacheOutcome =
  | { readonly kind: 'refused'; readonly refusal: MarkRefusal }
  | { readonly kind: 'accepted'; readonly lookup: CacheLookup };

export interface CacheLookup {
  readonly request: CacheRequest;
  readonly hit: CacheHit;
  readonly usage: CacheUsage;
  /** Markers that write, in prefix order: one per position, none below the model's minimum. */
  readonly writingMarks: readonly CacheMark[];
  readonly hitEntry: CacheEntry | undefined;
}

export interface CacheEngineOptions {
  /**
   * Whether a 1h entry written above a living 5m entry keeps the whole prefix alive for the hour, although only the part
   * above the hit is billed at the 1h price. Not documented; false is the cautious reading.
   */
  readonly prolong: boolean;
}

/** Docs: prompt caching, look-back: at most 20 positions per breakpoint, the breakpoint's own among them. */
const LOOK_BACK_POSITIONS = 20;

export function createCacheEngine(options: CacheEngineOptions): CacheEngine {
  const store = createEntryStore();
  const peek = (request: CacheRequest): CacheOutcome => {
    const check = checkMarks(request.positions, request.marks);
    return check.kind === 'refused' ? check : { kind: 'accepted', lookup: lookUp(store, request) };
  };
  return {
    peek,
    begin(request) {
      const outcome = peek(request);
      if (outcome.kind === 'accepted' && outcome.lookup.hitEntry) refresh(outcome.lookup.hitEntry, request.startedAtMs);
      return outcome;
    },
    commit(lookup) {
      store.sweep(lookup.request.startedAtMs);
      writeEntries(store, lookup, options);
    },
    clear: () => store.clear(),
    get entries() {
      return store.size;
    },
  };
}

function lookUp(store: EntryStore, request: CacheRequest): CacheLookup {
  const marks = inPrefixOrder(request.marks);
  const found = highestHit(store, request, marks);
  const { totalTokens, prefixTokens } = measure(request, [...marks.map((mark) => mark.at), found?.at ?? -1]);
  const writingMarks = marks.filter(
    (mark, index) => marks[index - 1]?.at !== mark.at && (prefixTokens.get(mark.at) ?? 0) >= request.minTokens,
  );
  const tokensTo = (at: number | undefined) => (at === undefined ? 0 : (prefixTokens.get(at) ?? 0));
  return {
    request,
    hit: found ? { kind: 'hit', at: found.at, tokens: tokensTo(found.at) } : { kind: 'miss' },
    usage: bill(totalTokens, found?.at, writingMarks, tokensTo),
    writingMarks,
    hitEntry: found?.entry,
  };
}

/** From the last breakpoint down; the first entry met is the highest there is, because windows only ever reach further down. */
function highestHit(store: EntryStore, request: CacheRequest, marks: readonly CacheMark[]) {
  for (const mark of marks.toReversed()) {
    const lowest = Math.max(0, mark.at - LOOK_BACK_POSITIONS + 1);
    for (let at = mark.at; at >= lowest; at--) {
      const hash = request.positions[at]?.hash ?? '';
      const entry = store.find(request.domain, hash);
      if (entry && isReadable(entry, request.startedAtMs)) return { at, entry };
    }
  }
  return undefined;
}

function measure(request: CacheRequest, places: readonly number[]) {
  const wanted = new Set(places);
  const prefixTokens = new Map<number, number>();
  let totalTokens = 0;
  request.positions.forEach((position, at) => {
    totalTokens += position.tokens;
    if (wanted.has(at)) prefixTokens.set(at, totalTokens);
  });
  return { totalTokens, prefixTokens };
}

/** Docs: prompt caching, mixing TTLs. A = highest hit, B = highest 1h marker above it (else A), C = last marker. */
function bill(
  totalTokens: number,
  hitAt: number | undefined,
  marks: readonly CacheMark[],
  tokensTo: (at: number | undefined) => number,
): CacheUsage {
  const a = tokensTo(hitAt);
  const b = Math.max(a, tokensTo(marks.findLast((mark) => mark.ttl === '1h')?.at));
  const c = Math.max(b, tokensTo(marks.at(-1)?.at));
  return { readTokens: a, write1hTokens: b - a, write5mTokens: c - b, uncachedTokens: totalTokens - c };
}

function writeEntries(store: EntryStore, lookup: CacheLookup, options: CacheEngineOptions): void {
  const { request, hit, hitEntry } = lookup;
  let base = hitEntry;
  for (const mark of lookup.writingMarks) {
    if (hitEntry && hit.kind === 'hit' && mark.at <= hit.at) keepCovered(store, request, mark, hitEntry);
    else base = writeAbove(store, request, mark, base, options);
  }
}

/**
 * A breakpoint below the hit costs nothing and still leaves an entry. Its tokens are those already stored, so it lives as
 * long as what it is a part of was paid for: a free 1h marker doesn't buy an hour.
 */
function keepCovered(store: EntryStore, request: CacheRequest, mark: CacheMark, hitEntry: CacheEntry): void {
  const hash = request.positions[mark.at]?.hash ?? '';
  const standing = store.find(request.domain, hash);
  if (standing && isReadable(standing, request.startedAtMs)) return refresh(standing, request.startedAtMs);
  let cover = hitEntry;
  while (cover.base && cover.base.at >= mark.at) cover = cover.base;
  const expiresAtMs = request.startedAtMs + CACHE_TTL_MS[cover.ttl];
  store.put(request.domain, { hash, at: mark.at, base: cover.base, ttl: cover.ttl, expiresAtMs });
}

function writeAbove(
  store: EntryStore,
  request: CacheRequest,
  mark: CacheMark,
  base: CacheEntry | undefined,
  options: CacheEngineOptions,
): CacheEntry {
  const { startedAtMs, domain } = request;
  const hash = request.positions[mark.at]?.hash ?? '';
  if (mark.ttl === '1h' && options.prolong) prolong(base, startedAtMs);
  const standing = store.find(domain, hash);
  if (standing && isReadable(standing, startedAtMs)) {
    extend(standing, mark.ttl, startedAtMs);
    return standing;
  }
  const entry = { hash, at: mark.at, base, ttl: mark.ttl, expiresAtMs: startedAtMs + CACHE_TTL_MS[mark.ttl] };
  store.put(domain, entry);
  return entry;
}
