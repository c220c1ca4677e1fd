import { createHash } from 'node:crypto';
import type { Config, Environment, Problem, Secrets } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/parse-config.ts';

export const sha256Hex = (text: string): string => createHash('sha256').update(text).digest('hex');

export const parse = (text: string, environment: Environment = {}) => parseConfig(text, environment, { sha256Hex });

export interface Accepted {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly notices: readonly Problem[];
}

export function accept(text: string, environment: Environment = {}): Accepted {
  const result = parse(text, environment);
  if (result.kind === 'invalid') throw new Error(`refused: ${JSON.stringify(result.problems)}`);
  return result;
}

export function refuse(text: string, environment: Environment = {}): readonly Problem[] {
  const result = parse(text, environment);
  if (result.kind === 'ok') throw new Error(`accepted: ${JSON.stringify(result.config)}`);
  return result.problems;
}

/** A managed file that has nothing wrong with it. */
export const MANAGED = `upstreams:
  - id: main
    apiKey: upstream-key-of-main
tenants:
  - id: acme
    keys: [gateway-key-of-acme]
`;

/** The same, with lines added to its tenant. */
export const tenantWith = (...lines: readonly string[]): string =>
  MANAGED + lines.map((line) => `    ${line}\n`).join('');
