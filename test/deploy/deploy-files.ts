import { readdirSync, readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import type { Config, Problem } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import { GRACE_MS } from '../../src/node/drain.ts';
import { sha256Hex } from '../../src/node/gateway.ts';

/**
 * The files that an operator copies, as values, and what of the code they must agree with. A file that says something
 * else than the code is found here and not at the operator's.
 */
export const ROOT = new URL('../../', import.meta.url);

export const fileText = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');

/** Every document of every YAML file of a folder under deploy/, by its file's name. */
export function yamlDocuments(folder: string): { readonly file: string; readonly value: unknown }[] {
  const names = readdirSync(new URL(folder, ROOT)).filter((name) => name.endsWith('.yaml'));
  return names.toSorted().flatMap((file) => {
    const documents = parseAllDocuments(fileText(`${folder}${file}`));
    return [...documents].map((document) => {
      if (document.errors.length > 0) throw new Error(`${file}: ${document.errors.join('; ')}`);
      return { file, value: document.toJS() as unknown };
    });
  });
}

/** The one document of a file, in the shape that the test reads. */
export function yamlFile<T>(path: string, shape: z.ZodType<T>): T {
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  const documents = yamlDocuments(folder).filter(({ file }) => folder + file === path);
  if (documents.length !== 1) throw new Error(`${path} has ${documents.length} documents`);
  return shape.parse(documents[0]?.value);
}

/** The names that `${NAME}` in a text of settings asks the environment for. */
export function askedVariables(settings: string): string[] {
  return [...new Set([...settings.matchAll(/(?<!\$)\$\{(\w+)\}/g)].map(([, name]) => name ?? ''))];
}

export interface Accepted {
  readonly config: Config;
  readonly notices: readonly Problem[];
}

/** The settings as the gateway reads them, with a value for every variable that they name. */
export function accepted(settings: string): Accepted {
  const environment = Object.fromEntries(
    askedVariables(settings).map((name) => [name, `a-long-enough-value-of-${name}`]),
  );
  const result = parseConfig(settings, environment, { sha256Hex });
  if (result.kind === 'invalid') throw new Error(JSON.stringify(result.problems));
  return result;
}

/** What a process takes from SIGTERM to its exit, at the most; a second for exporting its last words. */
export function longestEndMs({ config }: Accepted): number {
  return config.limits.drainMs + GRACE_MS + 1_000;
}

/** `250`, `45s`, `4m`: as systemd, Docker and HAProxy write a time. */
export function spanMs(text: string): number {
  const [, count = '', unit = ''] = /^(\d+)(ms|s|m|min|)$/.exec(text) ?? [];
  if (count === '') throw new Error(`${text} is not a time`);
  return Number(count) * { ms: 1, s: 1_000, m: 60_000, min: 60_000, '': 1_000 }[unit as 'ms' | 's' | 'm' | 'min' | ''];
}
