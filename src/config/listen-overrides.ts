/**
 * HOST and PORT of the environment, which win over the file. Set to nothing counts as not set: that is how a compose
 * file or a unit file passes on a variable it does not have.
 */
import type { Environment } from './config.ts';
import type { Fault } from './fault.ts';
import { wholeNumber } from './read-quantities.ts';
import { readHost } from './read-text.ts';
import type { Reader } from './reading.ts';

export interface ListenOverrides {
  readonly host: Override<string>;
  readonly port: Override<number>;
}

export type Override<T> =
  | { readonly kind: 'none' }
  | { readonly kind: 'set'; readonly value: T }
  | { readonly kind: 'faulty'; readonly fault: Fault };

export function readListenOverrides(environment: Environment): ListenOverrides {
  return {
    host: override('HOST', 'host', readHost, environment),
    port: override('PORT', 'port', wholeNumber(0, 65_535), environment),
  };
}

function override<T>(variable: string, key: string, reader: Reader<T>, environment: Environment): Override<T> {
  const text = environment[variable];
  if (typeof text !== 'string' || text === '') return { kind: 'none' };
  const reading = reader(text);
  if (reading.kind === 'read') return { kind: 'set', value: reading.value };
  const phrase = `is set by the environment variable ${variable}, which ${reading.fault}`;
  const mend = `unset ${variable}, or: ${reading.mend}`;
  return { kind: 'faulty', fault: { at: ['listen', key], phrase, mend, from: 'environment' } };
}
