import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import * as noTracing from '../../src/worker/stand-ins/no-tracing.ts';
import * as noYamlWriting from '../../src/worker/stand-ins/no-yaml-writing.ts';
import * as unusedSdkParts from '../../src/worker/stand-ins/unused-sdk-parts.ts';
import { buildWorker } from '../support/worker-bundle.ts';

/** What `wrangler deploy --minify` would upload. */
const KIB = 1024;
const SETTINGS = readFileSync(new URL('../../wrangler.toml', import.meta.url), 'utf8');
const ALIASES = [...SETTINGS.matchAll(/^"([^"]+)" = "\.\/src\/worker\/stand-ins\/([^"]+)\.ts"$/gm)];
const STAND_INS: Readonly<Record<string, object>> = {
  'no-tracing': noTracing,
  'no-yaml-writing': noYamlWriting,
  'unused-sdk-parts': unusedSdkParts,
};

const { resolve } = createRequire(import.meta.url);
const sdk = (path: string): string => readFileSync(resolve(`@anthropic-ai/sdk/${path}`), 'utf8');
const YAML = join(dirname(resolve('yaml/package.json')), 'browser/dist');
/** The files that import what is left out. */
const IMPORTERS = [
  ...['client.mjs', 'core/api-promise.mjs'].map(sdk),
  ...['doc', 'nodes', 'schema/common', 'schema/core'].flatMap((folder) =>
    readdirSync(join(YAML, folder)).map((file) => readFileSync(join(YAML, folder, file), 'utf8')),
  ),
];

/** What is imported by this name. */
function importedFrom(name: string): string[] {
  return IMPORTERS.flatMap((text) => [...text.matchAll(/^import \{([^}]+)\} from ['"]([^'"]+)['"];$/gm)])
    .filter(([, , from]) => from === name)
    .flatMap(([, names = '']) => names.split(','))
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

describe('the bundle', () => {
  it('is smaller than 600 KiB, and than 150 KiB when it is compressed', async () => {
    const { bytes } = await buildWorker();
    expect(bytes.length / KIB).toBeLessThan(600);
    expect(gzipSync(bytes).length / KIB).toBeLessThan(150);
  });

  it.each(ALIASES.map(([, name = '', standIn = '']) => ({ name, standIn })))(
    'leaves out what a package imports as $name, and has the names that it is asked for',
    ({ name, standIn }) => {
      expect(importedFrom(name)).not.toEqual([]);
      expect(Object.keys(STAND_INS[standIn] ?? {})).toEqual(expect.arrayContaining(importedFrom(name)));
    },
  );
});
