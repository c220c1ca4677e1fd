import type { AttemptResult, FailureKind } from '../../src/core/attempt.ts';
import { createFleet, type Fleet, type FleetEntry } from '../../src/pipeline/fleet.ts';
import { createScriptedUpstream, failureOf } from './scripted.ts';

/** Upstreams by name, as settings would list them, and breakers in whatever state a test needs. */

export function entryOf(id: string, part: Partial<FleetEntry['routed']> = {}, credentialMark = 'key'): FleetEntry {
  const upstream = createScriptedUpstream(id);
  const routed = { upstream, credential: 'own', cacheDomain: id, stripsAttribution: true, ...part } as const;
  return { routed, credentialMark };
}

export function fleetOf(...entries: readonly FleetEntry[]): Fleet {
  const fleet = createFleet();
  fleet.replace(entries);
  return fleet;
}

const failed = (kind: FailureKind): AttemptResult => ({ kind: 'failed', failure: failureOf(kind) });

/** Takes an upstream out of service, as five faults in a row do, or one refusal of its key. */
export function takeOut(fleet: Fleet, id: string, nowMs: number, kind: FailureKind = 'network'): void {
  const [member] = fleet.members([id]);
  for (let fault = 0; fault < 5; fault++) {
    const admitted = member?.breaker.admit(nowMs);
    if (admitted?.kind === 'admit') member?.breaker.report(failed(kind), admitted, nowMs);
  }
  if (member?.breaker.state(nowMs) === 'closed') throw new Error(`${id} is still in service`);
}
