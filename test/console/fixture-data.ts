import type {
  Bucket,
  LiveExchange,
  PrefixForest,
  PrefixNode,
  RequestRow,
  RequestStory,
  SavingsReport,
  SavingsRow,
  Snapshot,
} from '../../src/console/contract.ts';

/**
 * Plausible figures in the contract's shapes for looking at the page without a gateway. They move with the time that is
 * given and with nothing else: the same time gives the same figures.
 */
const TENANTS = ['agent', 'batch', 'chat', 'greedy', 'quiet', 'rag'];
const MODELS = ['claude-sonnet-5', 'claude-opus-5', 'claude-haiku-4-5'];
const BUCKET_MS = 10_000;

/** Between 0 and 1, by its seed alone. */
function noise(seed: number): number {
  const x = Math.sin(seed * 12.9898 + 78.233) * 43_758.5453;
  return x - Math.floor(x);
}

function pick<T>(from: readonly T[], seed: number): T {
  return from[Math.floor(noise(seed) * from.length)] as T;
}

export function bucketAt(startAtMs: number): Bucket {
  const seed = startAtMs / BUCKET_MS;
  const requests = Math.round(14 + 8 * Math.sin(seed / 20) + 6 * noise(seed));
  const p50 = 480 + 160 * Math.sin(seed / 30) + 120 * noise(seed + 1);
  const inputTokens = requests * 9000;
  const hit = 0.82 + 0.12 * Math.sin(seed / 40) + 0.05 * noise(seed + 2);
  return {
    startAtMs,
    requests,
    errors: noise(seed + 3) > 0.9 ? 1 : 0,
    retries: noise(seed + 4) > 0.8 ? 2 : 0,
    ttftP50Ms: p50,
    ttftP95Ms: p50 * (1.9 + noise(seed + 5)),
    hitTtftP50Ms: p50 * 0.9,
    missTtftP50Ms: noise(seed + 6) > 0.5 ? p50 * 2.4 : null,
    inputTokens,
    cacheReadTokens: Math.round(inputTokens * Math.min(0.98, hit)),
    cacheWriteTokens: Math.round(inputTokens * 0.05),
    outputTokens: requests * 320,
    costUsd: requests * 0.004,
    savedUsd: requests * 0.012,
    queueP95Ms: 40 * noise(seed + 7),
  };
}

export function bucketsUntil(nowMs: number, count: number): readonly Bucket[] {
  const last = Math.floor(nowMs / BUCKET_MS) * BUCKET_MS;
  return Array.from({ length: count }, (_, at) => bucketAt(last - (count - 1 - at) * BUCKET_MS));
}

/** One begins every other second and lasts for 4 to 24. */
function liveAt(nowMs: number): readonly LiveExchange[] {
  const everyMs = 1700;
  const last = Math.floor(nowMs / everyMs);
  const recent = Array.from({ length: 40 }, (_, at) => last - at).map((seed) => {
    const startedAtMs = seed * everyMs;
    const lastsMs = 4000 + 20_000 * noise(seed) ** 4;
    const ttftMs = 400 + 1500 * noise(seed + 9) ** 3;
    return { seed, startedAtMs, lastsMs, ttftMs, ageMs: nowMs - startedAtMs };
  });
  return recent
    .filter(({ ageMs, lastsMs }) => ageMs < lastsMs)
    .toReversed()
    .map(({ seed, startedAtMs, ttftMs, ageMs }) => {
      const isStreaming = ageMs > ttftMs;
      return {
        id: idOf(seed),
        tenant: pick(TENANTS, seed),
        model: pick(MODELS, seed + 1),
        operation: 'messages',
        startedAtMs,
        phase: isStreaming ? 'streaming' : pick(['queue', 'hold', 'upstream', 'pause'] as const, seed + 3),
        upstream: isStreaming ? pick(['main', 'spare'], seed + 4) : null,
        cache: isStreaming ? pick(['hit', 'hit', 'hit', 'partial', 'miss', 'off'] as const, seed + 5) : null,
        ttftMs: isStreaming ? ttftMs : null,
        outputTokensEstimate: isStreaming ? Math.round((ageMs - ttftMs) * 0.07) : 0,
        attempts: noise(seed + 6) > 0.9 ? 2 : 1,
      };
    });
}

function idOf(seed: number): string {
  return `sl_${Math.floor(noise(seed) * 2 ** 40).toString(36)}${(seed % 1000).toString(36)}`;
}

export function snapshotAt(nowMs: number, sinceAtMs: number): Snapshot {
  const live = liveAt(nowMs);
  const buckets = bucketsUntil(nowMs, 2);
  return {
    atMs: nowMs,
    gateway: { mode: 'managed', state: 'ready', because: null, sinceAtMs, scope: 'process' },
    recent: {
      requests: 431,
      faults: { caller: 1, gateway: 0, upstream: Math.floor((nowMs / 5000) % 4) },
      ttftP50Ms: 512 + 30 * noise(nowMs / 1000),
      ttftP95Ms: 1830,
      inputTokens: 4_100_000,
      cacheReadTokens: 3_600_000 + Math.round(90_000 * noise(nowMs / 1000)),
    },
    totals: {
      requests: 9120,
      errors: 12,
      inputTokens: 8e7,
      cacheReadTokens: 7e7,
      outputTokens: 3e6,
      costUsd: 61,
      savedUsd: 184,
    },
    live,
    liveCount: live.length,
    tenants: TENANTS.map((id, at) => ({
      id,
      inUse: live.filter(({ tenant }) => tenant === id).length,
      limit: [8, 20, 8, 2, 2, 8][at] ?? 8,
      waiting: id === 'greedy' ? 7 + Math.round(noise(nowMs / 1000) * 3) : 0,
      weight: id === 'batch' ? 2 : 1,
      requests: 40 + at * 31,
      errors: id === 'greedy' ? 3 : 0,
      share: [0.31, 0.22, 0.2, 0.11, 0.01, 0.15][at] ?? 0,
      hitRatio: [0.96, 0.91, 0.88, 0.42, null, 0.93][at] ?? null,
      queueP95Ms: id === 'greedy' ? 8400 : 3.2,
      ttftP95Ms: id === 'quiet' ? null : 900 + at * 210,
      costUsd: 12.4 / (at + 1),
      savedUsd: id === 'quiet' ? -0.021 : 41.2 / (at + 1),
      budget: at % 2 === 0 ? { usd: 20, spentUsd: at === 2 ? 21.3 : 12.4 / (at + 1), per: 'day' } : null,
    })),
    upstreams: ['main', 'spare'].map((id, at) => ({
      id,
      cacheDomain: `workspace-${id}`,
      inUse: live.filter(({ upstream }) => upstream === id).length,
      limit: at === 0 ? 64 : 18,
      ceiling: at === 0 ? 256 : 64,
      waiting: at * 3,
      breaker: at === 0 ? 'closed' : 'half_open',
      attempts:
        at === 0 ? { ok: 402, rate_limited: 9, overloaded: 3, client_abort: 2 } : { ok: 31, network: 4, timeout: 1 },
      quotas: [
        { modelClass: 'sonnet-5', kind: 'requests', remaining: 3820, limit: 4000 },
        { modelClass: 'sonnet-5', kind: 'input_tokens', remaining: 240_000, limit: 2_000_000 },
        { modelClass: 'sonnet-5', kind: 'output_tokens', remaining: 391_000, limit: null },
      ],
    })),
    buckets,
  };
}

export function requestRows(nowMs: number): readonly RequestRow[] {
  const last = Math.floor(nowMs / 1700) - 3;
  return Array.from({ length: 260 }, (_, at) => requestRow(last - at));
}

function requestRow(seed: number): RequestRow {
  const kind = noise(seed + 40);
  const base = {
    id: idOf(seed),
    tenant: pick(TENANTS, seed),
    model: pick(MODELS, seed + 1),
    operation: 'messages',
    receivedAtMs: seed * 1700,
    durationMs: 2100 + 6000 * noise(seed + 3),
    ttftMs: 400 + 800 * noise(seed + 9),
    status: 200,
    end: 'complete',
    fault: null,
    attempts: kind > 0.9 ? 2 : 1,
    inputTokens: Math.round(2000 + 40_000 * noise(seed + 6)),
    outputTokens: Math.round(900 * noise(seed + 7)),
    costUsd: 0.02 * noise(seed + 8),
    savedUsd: 0.06 * noise(seed + 9),
  };
  if (kind > 0.97) {
    const refused = {
      ttftMs: null,
      status: 429,
      end: 'refused',
      fault: 'caller',
      cache: 'off',
      cacheReason: null,
    } as const;
    return { ...base, ...refused, attempts: 0, inputTokens: null, outputTokens: null, costUsd: null, savedUsd: null };
  }
  if (kind > 0.89) return { ...base, end: 'truncated', fault: 'upstream', cache: 'hit', cacheReason: null };
  if (kind > 0.7)
    return {
      ...base,
      cache: 'miss',
      cacheReason: pick(['first_seen', 'expired', 'prefix_changed'], seed),
      savedUsd: -0.0021,
    };
  if (kind > 0.6) return { ...base, cache: 'partial', cacheReason: 'prefix_changed' };
  return { ...base, cache: 'hit', cacheReason: null };
}

export function storyOf(row: RequestRow): RequestStory {
  const input = row.inputTokens ?? 0;
  const stream = row.durationMs - 1240.3;
  return {
    ...row,
    isStream: true,
    refusal: row.end === 'refused' ? 'queue_timeout' : null,
    timeline: [
      { kind: 'gateway', atMs: 0, durationMs: 1.2, call: null },
      { kind: 'queue', atMs: 1.2, durationMs: 212.4, call: null },
      { kind: 'hold', atMs: 213.6, durationMs: 140, call: null },
      { kind: 'call', atMs: 353.6, durationMs: 180.2, call: 0 },
      { kind: 'pause', atMs: 533.8, durationMs: 120, call: null },
      { kind: 'call', atMs: 653.8, durationMs: 586.5, call: 1 },
      { kind: 'stream', atMs: 1240.3, durationMs: stream, call: null },
    ],
    tokens: {
      uncached: Math.round(input * 0.02),
      cacheRead: Math.round(input * 0.9),
      cacheWrite5m: Math.round(input * 0.08),
      cacheWrite1h: 0,
      output: row.outputTokens ?? 0,
    },
    cacheStory: {
      result: row.cache,
      reason: row.cacheReason,
      at: row.cacheReason === 'prefix_changed' ? 'system[1]' : null,
      byte: row.cacheReason === 'prefix_changed' ? 81_234 : null,
      added: [
        { place: 'system[1]', ttl: '5m', why: 'system' },
        { place: 'messages[14].content[0]', ttl: '5m', why: 'tail' },
      ],
      flight: 'follower',
      expected: {
        readTokens: Math.round(input * 0.9),
        write5mTokens: Math.round(input * 0.1),
        write1hTokens: 0,
        uncachedTokens: 0,
      },
    },
    calls: [
      { upstream: 'main', outcome: 'overloaded', status: 529, atMs: 353.6, durationMs: 180.2 },
      { upstream: 'spare', outcome: 'ok', status: 200, atMs: 653.8, durationMs: row.durationMs - 653.8 },
    ],
  };
}

export function forestAt(nowMs: number): PrefixForest {
  const node = (
    id: string,
    place: string,
    tokens: number,
    children: PrefixNode[],
    more: Partial<PrefixNode> = {},
  ): PrefixNode => ({
    id,
    place,
    tokens,
    requests: Math.round(tokens / 30),
    tenants: TENANTS.slice(0, 4),
    tenantCount: 6,
    conversations: 14,
    lastUsedAtMs: nowMs - 12_000,
    warmUntilMs: nowMs - (nowMs % 300_000) + 300_000,
    ttl: '5m',
    readTokens: tokens * 310,
    writeTokens: tokens * 4,
    writeCostUsd: tokens * 4e-6,
    savedUsd: tokens * 310 * 2.7e-6,
    children,
    ...more,
  });
  const deep = node('d', 'messages[0].content[0]', 16_800, [], {
    tenants: ['rag'],
    tenantCount: 1,
    ttl: '1h',
    warmUntilMs: nowMs + 3_200_000,
  });
  const cold = node('c', 'system[2]', 9100, [], {
    warmUntilMs: null,
    ttl: null,
    tenants: ['quiet'],
    tenantCount: 1,
    savedUsd: -0.0031,
  });
  return {
    atMs: nowMs,
    trees: [
      {
        domain: 'workspace-main',
        model: MODELS[0] ?? '',
        roots: [node('a', 'tools', 4200, [node('b', 'system[1]', 8200, [deep, cold])])],
      },
      { domain: 'workspace-spare', model: MODELS[1] ?? '', roots: [node('e', 'system', 2900, [])] },
    ],
    hiddenNodes: 12,
    elsewhere: { readTokens: 12_400_000, writeTokens: 810_000 },
  };
}

export function savingsBy(by: SavingsReport['by'], nowMs: number, sinceAtMs: number): SavingsReport {
  const today = new Date(nowMs).toISOString().slice(0, 10);
  const names = by === 'tenant' ? TENANTS : by === 'model' ? MODELS : [today, '2026-11-21', '2026-11-20'];
  const rows = names.map((name, at) => savingsRow(name, 4000 / (at + 1)));
  const total = savingsRow(
    'total',
    rows.reduce((sum, { requests }) => sum + requests, 0),
  );
  return { sinceAtMs, atMs: nowMs, by, rows, total };
}

function savingsRow(name: string, requests: number): SavingsRow {
  const whole = Math.round(requests);
  const tokens = {
    uncached: whole * 300,
    cacheRead: whole * 8000,
    cacheWrite5m: whole * 500,
    cacheWrite1h: whole * 20,
    output: whole * 320,
  };
  return {
    name,
    requests: whole,
    tokens,
    costUsd: whole * 0.0081,
    withoutCacheUsd: whole * 0.0312,
    writePremiumUsd: whole * 0.0004,
    savedUsd: whole * 0.0231,
  };
}
