/**
 * Notices on settings that are valid and may still not be what was meant: who can reach the gateway, on whose money, and
 * what would never come to its end.
 */
import type { Config, Environment } from './config.ts';
import type { Fault } from './fault.ts';
import { placesOf, valueAt } from './raw.ts';

/** Shorter keys can be guessed, or found from a digest. */
const SHORTEST_SAFE_KEY = 16;

export interface AdviceSources {
  readonly raw: unknown;
  readonly config: Config;
  readonly hostFrom: 'file' | 'environment';
  readonly environment: Environment;
}

export function findAdvice({ raw, config, hostFrom, environment }: AdviceSources): Fault[] {
  return [
    ...shortKeys(raw),
    ...openDoor(config, hostFrom),
    ...sharedPurse(config),
    ...guessableDigests(config, environment),
    ...lateNotice(config),
  ];
}

function shortKeys(raw: unknown): Fault[] {
  return placesOf(raw, 'tenants[].keys[]')
    .filter((path) => String(valueAt(raw, path)).length < SHORTEST_SAFE_KEY)
    .map((at) => ({
      at,
      phrase: `is a key of fewer than ${SHORTEST_SAFE_KEY} characters, which can be guessed`,
      mend: 'make a longer one, for example with: openssl rand -hex 24',
    }));
}

function openDoor({ mode, listen }: Config, from: 'file' | 'environment'): Fault[] {
  if (mode === 'managed' || isLoopback(listen.host)) return [];
  const phrase = 'is not a loopback address, and there are no tenants: anybody who reaches it can use the gateway';
  const mend = 'listen on 127.0.0.1, or add tenants; without an apiKey every caller still needs a key of their own';
  return [{ at: ['listen', 'host'], phrase, subject: listen.host, mend, from }];
}

function sharedPurse({ mode, upstreams }: Config): Fault[] {
  if (mode === 'managed') return [];
  return upstreams.flatMap(({ credential }, index) => {
    if (credential === 'caller') return [];
    const phrase = 'is set without tenants: everyone who reaches the port spends this key';
    return [
      { at: ['upstreams', index, 'apiKey'], phrase, mend: 'add tenants with keys of their own, or remove apiKey' },
    ];
  });
}

/** Else the upstream keys are what replicas know and Redis does not (`node/engine-for.ts`). */
function guessableDigests({ state, upstreams }: Config, environment: Environment): Fault[] {
  if (state.kind === 'memory' || (environment['SLIPSTREAM_STATE_KEY'] ?? '') !== '') return [];
  if (upstreams.some(({ credential }) => credential === 'own')) return [];
  const phrase =
    "is Redis, and with callers' own keys everywhere there is no secret for its digests: whoever reads it can find out " +
    'whether a prompt that he knows is among them';
  const mend =
    'set SLIPSTREAM_STATE_KEY, the same for all replicas, for example to what this says: openssl rand -hex 24';
  return [{ at: ['state'], phrase, mend }];
}

function lateNotice({ limits }: Config): Fault[] {
  if (limits.drainNoticeMs <= limits.drainMs) return [];
  const phrase = 'is longer than limits.drain, which ends it';
  return [{ at: ['limits', 'drainNotice'], phrase, mend: 'make limits.drain longer: it is counted from SIGTERM too' }];
}

export function isLoopback(host: string): boolean {
  return /^(localhost|(.+\.)localhost|127(\.\d{1,3}){3}|::1|::ffff:127(\.\d{1,3}){3})$/i.test(host);
}
