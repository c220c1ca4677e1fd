import { existsSync, readFileSync, statSync } from 'node:fs';
import type { ConfigResult, Environment, Problem } from '../config/config.ts';
import { defaultConfig, parseConfig } from '../config/parse-config.ts';
import { sha256Hex } from './gateway.ts';

/** Where the settings are: `--config`, else SLIPSTREAM_CONFIG, else slipstream.yaml if it is there, else none. */
export function settingsPath(option: string | undefined, environment: Environment): string | null {
  const named = option ?? environment['SLIPSTREAM_CONFIG'];
  if (named !== undefined && named !== '') return named;
  return existsSync(DEFAULT_PATH) ? DEFAULT_PATH : null;
}

const DEFAULT_PATH = 'slipstream.yaml';

/** Reads and parses; a file that cannot be read is a problem like any other. */
export function loadSettings(path: string | null, environment: Environment): ConfigResult {
  return parseSettings(readSettings(path), environment);
}

export type SettingsSource =
  | { readonly kind: 'none' }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'unreadable'; readonly problem: Problem };

export function readSettings(path: string | null): SettingsSource {
  if (path === null) return { kind: 'none' };
  try {
    return { kind: 'text', text: readFileSync(path, 'utf8') };
  } catch (error) {
    return unreadable(path, error);
  }
}

/** The same while the gateway runs: a pipe was read at the start, and to wait for one would stop every stream. */
export function rereadSettings(path: string | null): SettingsSource {
  if (path === null) return { kind: 'none' };
  try {
    return statSync(path).isFile() ? readSettings(path) : unreadable(path, { code: 'not a regular file' });
  } catch (error) {
    return unreadable(path, error);
  }
}

export function parseSettings(source: SettingsSource, environment: Environment): ConfigResult {
  if (source.kind === 'none') return defaultConfig(environment);
  if (source.kind === 'unreadable') return { kind: 'invalid', problems: [source.problem] };
  return parseConfig(source.text, environment, { sha256Hex });
}

function unreadable(path: string, error: unknown): SettingsSource {
  const { code } = error as { readonly code?: string };
  const message = `${path} cannot be read (${code ?? 'unknown error'})`;
  const mend = 'Give the path of a readable file with --config.';
  return { kind: 'unreadable', problem: { path: '', message, mend } };
}
