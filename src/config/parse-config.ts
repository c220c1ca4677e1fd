/**
 * Settings text → frozen Config, or every problem at once, in the order of the file. Any text gives a result; nothing
 * here throws. The checks do not build on one another: each looks at the raw value for itself, so a fault in one
 * tenant hides no fault in the next.
 */
import { findAdvice } from './advice.ts';
import { buildConfig } from './build-config.ts';
import type { ConfigPlatform, ConfigResult, Environment, Problem } from './config.ts';
import { toProblem, type Fault, type FaultPlace } from './fault.ts';
import { readListenOverrides, type ListenOverrides } from './listen-overrides.ts';
import { findRefused, findWithoutEffect } from './not-yet.ts';
import { readYaml } from './read-yaml.ts';
import { checkRelations } from './relations.ts';
import { readSettings } from './schema-faults.ts';

export function parseConfig(text: string, environment: Environment, platform: ConfigPlatform): ConfigResult {
  const overrides = readListenOverrides(environment);
  const source = readYaml(text, environment);
  if (source.kind === 'unreadable') return { kind: 'invalid', problems: source.problems };
  // A file with nothing in it, or with comments only, is no settings at all.
  const raw = source.value ?? {};
  const reading = readSettings(raw);
  const faults = [
    ...source.faults,
    ...withoutFollowers(source.faults, [
      ...(reading.kind === 'faulty' ? reading.faults : []),
      ...checkRelations(raw, platform.sha256Hex),
      ...findRefused(raw),
    ]),
    ...overrideFaults(overrides),
  ];
  const problems = inFileOrder([...source.problems, ...faults.map((fault) => toProblem(fault, source))]);
  if (reading.kind === 'faulty' || problems.length > 0) return { kind: 'invalid', problems };
  const built = buildConfig(reading.settings, overrides, platform);
  const hostFrom = overrides.host.kind === 'set' ? 'environment' : 'file';
  const notices = [...findAdvice({ raw, config: built.config, hostFrom, environment }), ...findWithoutEffect(raw)];
  return { kind: 'ok', ...built, notices: describe(notices, source) };
}

/** What the gateway runs with when there is no file: pass-through on loopback, or where HOST and PORT say. */
export function defaultConfig(environment: Environment): ConfigResult {
  // Without tenants there is no key to digest.
  return parseConfig('', environment, { sha256Hex: () => '' });
}

/** A value that could not be filled in is no port and no duration either; once is enough. */
function withoutFollowers(unfilled: readonly Fault[], faults: readonly Fault[]): Fault[] {
  const places = new Set(unfilled.map(({ at }) => JSON.stringify(at)));
  return faults.filter(({ at }) => !places.has(JSON.stringify(at)));
}

function overrideFaults({ host, port }: ListenOverrides): Fault[] {
  return [host, port].flatMap((override) => (override.kind === 'faulty' ? [override.fault] : []));
}

const describe = (faults: readonly Fault[], place: FaultPlace): Problem[] =>
  inFileOrder(faults.map((fault) => toProblem(fault, place)));

const inFileOrder = (problems: readonly Problem[]): Problem[] =>
  problems.toSorted((one, other) => (one.line ?? Infinity) - (other.line ?? Infinity) || 0);
