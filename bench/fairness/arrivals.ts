// Who comes when and stays how long: Poisson arrivals, log-normal times. Each tenant draws from its own seed, so that the
// modest ones' requests are the same to the microsecond whether or not the greedy one is there.

export interface Arrival {
  readonly atMs: number;
  readonly tenant: string;
  /** How long its call takes once it has a slot. */
  readonly holdMs: number;
}

export interface Traffic {
  readonly seed: number;
  readonly slots: number;
  readonly meanHoldMs: number;
  /** Of the logarithm of the time a call takes. Answers differ in length more than by a factor of ten. */
  readonly holdSigma: number;
  /** What the modest tenants alone use of the slots. */
  readonly modestUtilisation: number;
  readonly modestTenants: number;
  /** In fair shares: one of as many as there are tenants. 0: it stays away. */
  readonly greedyOffers: number;
  readonly durationMs: number;
}

export const GREEDY = 'greedy';

export function arrivalsOf(traffic: Traffic): Arrival[] {
  const { seed, slots, meanHoldMs, modestUtilisation, modestTenants, greedyOffers } = traffic;
  const callsPerMs = slots / meanHoldMs;
  const all: Arrival[] = [];
  for (let index = 0; index < modestTenants; index++) {
    const perMs = (callsPerMs * modestUtilisation) / modestTenants;
    all.push(...arrivalsOfOne(`modest-${index}`, perMs, seed * 1_000 + index, traffic));
  }
  const greedyPerMs = (callsPerMs * greedyOffers) / (modestTenants + 1);
  all.push(...arrivalsOfOne(GREEDY, greedyPerMs, seed * 1_000 + 999, traffic));
  return all.sort((a, b) => a.atMs - b.atMs);
}

function arrivalsOfOne(tenant: string, perMs: number, seed: number, traffic: Traffic): Arrival[] {
  const { meanHoldMs, holdSigma, durationMs } = traffic;
  const random = createRandom(seed);
  const arrivals: Arrival[] = [];
  const gapMs = (): number => (perMs > 0 ? -Math.log(1 - random()) / perMs : Number.POSITIVE_INFINITY);
  for (let atMs = gapMs(); atMs < durationMs; atMs += gapMs()) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    arrivals.push({ atMs, tenant, holdMs: meanHoldMs * Math.exp(holdSigma * normal - holdSigma ** 2 / 2) });
  }
  return arrivals;
}

/** Uniform in [0, 1): a Weyl sequence through the finisher of MurmurHash3. */
function createRandom(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x85ebca6b);
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
}
