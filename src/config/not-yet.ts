/**
 * Settings of the contract that this version reads but does not act on. `refused`: starting would do something other
 * than what was asked. `no effect`: the gateway works as if the setting were not there, and a notice says so.
 * When a version begins to act on one, its row goes and nothing else changes here.
 */
import type { Fault } from './fault.ts';
import { placesOf, valueAt } from './raw.ts';

export interface NotYet {
  readonly setting: string;
  readonly level: 'refused' | 'no effect';
  /** Whether this value asks for what is not there; others are in accord with this version. */
  readonly asks: (value: unknown) => boolean;
  readonly reason: string;
  readonly mend: string;
}

export const NOT_YET: readonly NotYet[] = [
  {
    setting: 'upstreams[].protocol',
    level: 'refused',
    asks: (value) => value === 'openai',
    reason: 'this version only speaks to upstreams with the Anthropic protocol',
    mend: 'remove the upstream, or give the address of an endpoint with the Anthropic protocol',
  },
  {
    setting: 'cache.minReuse',
    level: 'no effect',
    asks: (value) => value !== 'auto',
    reason: 'what a prefix must earn is always learned from the traffic',
    mend: 'write auto, or leave it for a later version',
  },
];

export function findRefused(raw: unknown): Fault[] {
  return asked(raw, 'refused').flatMap(({ row, places }) =>
    places.map((at) => ({ at, phrase: `asks for what is not there yet: ${row.reason}`, mend: row.mend })),
  );
}

export function findWithoutEffect(raw: unknown): Fault[] {
  return asked(raw, 'no effect').flatMap(({ row, places }) =>
    places.map((at) => ({ at, phrase: `has no effect yet: ${row.reason}`, mend: row.mend })),
  );
}

function asked(raw: unknown, level: NotYet['level']) {
  return NOT_YET.filter((row) => row.level === level).map((row) => ({
    row,
    places: placesOf(raw, row.setting).filter((path) => row.asks(valueAt(raw, path))),
  }));
}
