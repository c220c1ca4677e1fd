import type { SlotGrant, SlotRules, Slots } from '../../src/state/slots.ts';

/** One request for a slot and what has become of it so far. */
export interface AskedSlot {
  readonly grant: Promise<SlotGrant>;
  readonly state: SlotGrant['kind'] | 'waiting';
  /** Without effect where nothing was granted. */
  release(): void;
}

export function askSlot(port: Slots, name: string, rules: SlotRules, signal: AbortSignal): AskedSlot {
  let settled: SlotGrant | null = null;
  const grant = port.acquire(name, rules, signal);
  void grant.then((one) => (settled = one));
  const current = (): SlotGrant | null => settled;
  return {
    grant,
    get state() {
      return current()?.kind ?? 'waiting';
    },
    release() {
      const one = current();
      if (one?.kind === 'granted') one.lease.release();
    },
  };
}
