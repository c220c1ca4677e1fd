// The books of a soak, kept by request: what the load saw, the calls the simulator saw for it, the gateway's record of it.
// They are joined when nothing is under way and then forgotten, so that the books do not grow with the run.

import { modelLabel } from '../../src/metrics/labels.ts';
import { REQUEST_ID_HEADER } from '../../src/node/demo/retry-watch.ts';
import type { Observation } from '../../src/simulator/observe/observations.ts';
import type { RecordFacts } from './gateway-messages.ts';
import { knowableOf, type Knowable, type Knowledge } from './knowable.ts';
import type { Asked } from './load.ts';
import {
  addRange,
  addTokens,
  billedTokens,
  isWithin,
  meteredTokens,
  noRange,
  noTokens,
  type TokenRange,
  type Tokens,
} from './tokens.ts';

export interface TenantBooks {
  requests: number;
  readonly statuses: Map<string, number>;
  /** Requests whose status the load did not wait for. */
  unseenStatus: number;
  /** Not answered, or not to the end, though the caller waited. */
  failed: number;
  /** Streams the load saw begin, by how they ended for it. */
  readonly streams: Map<string, number>;
  /** Streams asked for by callers that left before a head: opened or not. */
  unseenStreams: number;
  readonly models: Map<string, ModelBooks>;
}

interface ModelBooks {
  readonly billed: Tokens;
  readonly knowable: TokenRange;
}

/** Calls whose bill is not wholly known, and what was billed for them. */
export interface Unknown {
  calls: number;
  readonly billed: Tokens;
}

export interface Books {
  readonly tenants: Map<string, TenantBooks>;
  readonly unknowns: Map<Knowledge, Unknown>;
  /** Calls that reached the simulator, and the requests they were made for. */
  calls: number;
  reached: number;
  faulted: number;
  /** Calls of callers who left of a tenant with `hangUp: drain` that were not read to their end. */
  undrained: number;
  /** By the calls, what the simulator's ledger must say: `workspace/model`. */
  readonly workspaces: Map<string, Tokens>;
  /** Exchanges whose record is not what could be known of their calls. */
  mismatches: number;
  readonly examples: string[];
}

export interface Account {
  readonly books: Books;
  onAsked(asked: Asked): void;
  /** The newest of the simulator's observations; those that are known are passed over. */
  onObservations(list: readonly Observation[]): void;
  onRecords(records: readonly RecordFacts[]): void;
  /** Call when nothing is under way, with all observations. */
  settle(list: readonly Observation[]): void;
}

const EXAMPLES_KEPT = 8;

export function createAccount(workspaceOf: (key: string) => string): Account {
  const books = emptyBooks();
  let asks: Asked[] = [];
  let calls = new Map<string, Observation[]>();
  let known = new Set<Observation>();
  const records = new Map<string, RecordFacts>();
  return {
    books,
    onAsked: (asked) => void asks.push(asked),
    onObservations(list) {
      for (const call of list) {
        const id = call.headers[REQUEST_ID_HEADER];
        if (known.has(call) || id === undefined) continue;
        known.add(call);
        calls.set(id, [...(calls.get(id) ?? []), call]);
      }
    },
    onRecords(fresh) {
      for (const record of fresh) records.set(record.id, record);
    },
    settle(list) {
      for (const asked of asks) {
        const own = calls.get(asked.id) ?? [];
        const record = asked.seen.gatewayId === null ? undefined : records.get(asked.seen.gatewayId);
        enter(books, asked, own, record, workspaceOf);
      }
      asks = [];
      calls = new Map();
      known = new Set(list);
      records.clear();
    },
  };
}

function enter(
  books: Books,
  asked: Asked,
  calls: readonly Observation[],
  record: RecordFacts | undefined,
  workspaceOf: (key: string) => string,
): void {
  const tenant = entry(books.tenants, asked.tenant.id, noTenant);
  enterSeen(tenant, asked);
  books.calls += calls.length;
  if (calls.length > 0) books.reached += 1;
  const model = modelLabel(asked.model);
  const total = noRange();
  for (const call of calls) {
    const knowable = enterCall(books, asked, call);
    addRange(total, knowable.tokens);
    const workspace = workspaceOf(keyOfCall(call));
    addTokens(entry(books.workspaces, `${workspace}/${model}`, noTokens), billedTokens(call.usage));
    addTokens(entry(tenant.models, model, noModel).billed, billedTokens(call.usage));
  }
  addRange(entry(tenant.models, model, noModel).knowable, total);
  if (asked.seen.gatewayId === null) return;
  if (record && isWithin(meteredTokens(record.usage), total)) return;
  books.mismatches += 1;
  if (books.examples.length < EXAMPLES_KEPT) books.examples.push(exampleOf(asked, calls, record, total));
}

function enterCall(books: Books, asked: Asked, call: Observation): Knowable {
  const { move, seen, tenant } = asked;
  const hasLeft = seen.ending === 'left';
  const hearing = !hasLeft ? 'to_the_end' : seen.sawContent ? 'left_after_content' : 'left_unseen';
  const knowable = knowableOf({ call, isStream: move.isStream, hearing, hangUp: tenant.hangUp });
  if (call.outcome === 'faulted') books.faulted += 1;
  if (hasLeft && tenant.hangUp === 'drain' && call.outcome === 'aborted') books.undrained += 1;
  if (knowable.knowledge !== 'known') {
    const unknown = entry(books.unknowns, knowable.knowledge, () => ({ calls: 0, billed: noTokens() }));
    unknown.calls += 1;
    addTokens(unknown.billed, billedTokens(call.usage));
  }
  return knowable;
}

function enterSeen(tenant: TenantBooks, { seen, move }: Asked): void {
  tenant.requests += 1;
  if (seen.ending === 'unanswered' || seen.ending === 'hung') tenant.failed += 1;
  if (seen.status === null) {
    tenant.unseenStatus += 1;
    if (move.isStream) tenant.unseenStreams += 1;
  } else {
    increase(tenant.statuses, String(seen.status));
    if (seen.isStream) increase(tenant.streams, seen.ending);
  }
}

/** As the SDK sends it: as a bearer token from 1.0 on. */
function keyOfCall({ headers }: Observation): string {
  return headers['x-api-key'] ?? (headers['authorization'] ?? '').replace(/^Bearer /, '');
}

function exampleOf(
  asked: Asked,
  calls: readonly Observation[],
  record: RecordFacts | undefined,
  total: TokenRange,
): string {
  const told = calls.map(({ outcome, status, usage }) => ({ outcome, status, billed: billedTokens(usage) }));
  const ours = record ? { status: record.status, end: record.end, tokens: meteredTokens(record.usage) } : 'no record';
  const { id, seen, move } = asked;
  return JSON.stringify({
    id,
    isStream: move.isStream,
    manner: move.manner.kind,
    seen,
    calls: told,
    ours,
    knowable: total,
  });
}

export function entry<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const found = map.get(key) ?? make();
  map.set(key, found);
  return found;
}

function increase(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function emptyBooks(): Books {
  return {
    tenants: new Map(),
    unknowns: new Map(),
    calls: 0,
    reached: 0,
    faulted: 0,
    undrained: 0,
    workspaces: new Map(),
    mismatches: 0,
    examples: [],
  };
}

function noTenant(): TenantBooks {
  return {
    requests: 0,
    statuses: new Map(),
    unseenStatus: 0,
    failed: 0,
    streams: new Map(),
    unseenStreams: 0,
    models: new Map(),
  };
}

function noModel(): ModelBooks {
  return { billed: noTokens(), knowable: noRange() };
}
