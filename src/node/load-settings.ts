import { existsSync, readFileSync } from 'node:fs';
import type { ConfigResult, Environment } from '../config/config.ts';
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
  if (path === null) return defaultConfig(environment);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const message = `${path} cannot be read (${code ?? 'unknown error'})`;
    return {
      kind: 'invalid',
      problems: [{ path: '', message, mend: 'Give the path of a readable file with --config.' }],
    };
  }
  return parseConfig(text, environment, { sha256Hex });
}
