/**
 * `${NAME}` in the settings. References are filled in after YAML has been parsed, scalar by scalar, so that a value with
 * a colon, a quote or a line break in it cannot change the structure, and a reference in a comment asks for nothing.
 * YAML however reads `{ token: ${NAME} }` as a mapping that begins inside the value; so each well-formed reference is
 * veiled while YAML looks, its braces replaced by two noncharacters (Unicode 23.7: for internal use, never in text).
 */
import type { Environment } from './config.ts';

const VEILED_OPEN = '\uFDD0';
const VEILED_CLOSE = '\uFDD1';

/** Keeps every line where it is. */
export const veil = (text: string): string =>
  text.replaceAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, `${VEILED_OPEN}$1${VEILED_CLOSE}`);

export const unveil = (text: string): string => text.replaceAll(VEILED_OPEN, '${').replaceAll(VEILED_CLOSE, '}');

/** Where a text holds one of the noncharacters itself, or -1. */
export const firstNoncharacter = (text: string): number => text.search(/[\uFDD0\uFDD1]/u);

export type Substitution =
  | { readonly kind: 'untouched' }
  | { readonly kind: 'substituted'; readonly text: string; readonly fromEnvironment: boolean }
  | { readonly kind: 'unset'; readonly names: readonly string[] }
  | { readonly kind: 'malformed' };

/** One pass: what a variable holds is not looked at again. `$${` stands for `${` itself. */
export function substitute(text: string, environment: Environment): Substitution {
  const unset = new Set<string>();
  let malformed = false;
  let fromEnvironment = false;
  const result = text.replaceAll(/\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$\{/g, (found, name?: string) => {
    if (found === '$${') return '${';
    if (name === undefined) {
      malformed = true;
      return found;
    }
    const value = environment[name];
    // A plain object also answers to `constructor` and the like, with functions.
    if (typeof value !== 'string') {
      unset.add(name);
      return found;
    }
    fromEnvironment = true;
    return value;
  });
  if (malformed) return { kind: 'malformed' };
  if (unset.size > 0) return { kind: 'unset', names: [...unset] };
  return result === text ? { kind: 'untouched' } : { kind: 'substituted', text: result, fromEnvironment };
}
