import type { LiveExchange, PrefixForest, PrefixNode } from '../../src/console/contract.ts';
import type { ProcessReport, TenantReading, UpstreamReading } from '../../src/console/process-report.ts';
import type { ProcessConsoleParts } from '../../src/console/process-console.ts';
import { createAdaptiveLimit } from '../../src/core/limits/adaptive-limit.ts';
import type { Clock } from '../../src/core/clock.ts';
import { createFleet } from '../../src/pipeline/fleet.ts';
import { createLiveExchanges } from '../../src/pipeline/live-exchanges.ts';
import { createPromptMemory } from '../../src/prompt/prompt-memory.ts';
import { createMemoryEngine } from '../../src/state/memory-engine.ts';
import { CONSOLE_VERSION, type IsolateWord } from '../../src/worker/console/console-remote.ts';

/** What isolates may tell the console's hub: a gateway with one tenant and one upstream in which nothing runs. */
export function wordOf(part: Partial<IsolateWord> = {}): IsolateWord {
  return { version: CONSOLE_VERSION, isolate: 'one', finished: [], report: reportOf(), prompts: null, ...part };
}

export function reportOf(part: Partial<ProcessReport> = {}): ProcessReport {
  const live = part.live ?? [];
  return {
    gateway: { mode: 'managed', state: 'ready', because: null },
    live,
    liveCount: live.length,
    tenants: [tenantOf()],
    upstreams: [upstreamOf()],
    ...part,
  };
}

export function tenantOf(part: Partial<TenantReading> = {}): TenantReading {
  return { id: 'acme', weight: 1, budget: null, inUse: 0, waiting: 0, limit: 16, ...part };
}

export function upstreamOf(part: Partial<UpstreamReading> = {}): UpstreamReading {
  const held = { inUse: 0, waiting: 0, limit: 256 };
  return { id: 'main', cacheDomain: 'main', ...held, ceiling: 256, breaker: 'closed', quotas: [], ...part };
}

export function liveOf(id: string, startedAtMs = 0): LiveExchange {
  return {
    id,
    tenant: 'acme',
    model: 'claude-sonnet-5',
    operation: 'messages',
    startedAtMs,
    phase: 'streaming',
    upstream: 'main',
    cache: 'hit',
    ttftMs: 400,
    outputTokensEstimate: 7,
    attempts: 1,
  };
}

/** One prefix, named by its hash. */
export function forestOf(hash: number, part: Partial<PrefixNode> = {}): PrefixForest {
  const node: PrefixNode = {
    id: String(hash),
    place: 'system[0]',
    tokens: 5_000,
    requests: 3,
    tenants: ['acme'],
    tenantCount: 1,
    conversations: 0,
    lastUsedAtMs: 0,
    warmUntilMs: null,
    ttl: null,
    readTokens: 10_000,
    writeTokens: 5_000,
    writeCostUsd: 0.001,
    savedUsd: 0.02,
    children: [],
    ...part,
  };
  const trees = [{ domain: 'main', model: 'claude-sonnet-5', roots: [node] }];
  return { atMs: 0, trees, hiddenNodes: 0, elsewhere: { readTokens: 0, writeTokens: 0 } };
}

/** An isolate in which nothing runs. */
export function isolateParts(clock: Clock): Omit<ProcessConsoleParts, 'sha256Hex'> {
  return {
    clock,
    engine: createMemoryEngine(clock, createAdaptiveLimit),
    fleet: createFleet(),
    memory: createPromptMemory(),
    liveExchanges: createLiveExchanges(),
    openExchanges: { isDraining: false },
    tenants: () => [],
    mode: () => 'managed',
    ceilingOf: () => 0,
  };
}
