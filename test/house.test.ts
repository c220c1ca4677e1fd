import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/**
 * The direction of imports, held against what the files under src/ really import. A folder may always import from
 * itself; `core/clock.ts` names one module and not its folder. Node's own modules belong to node/ alone. What is within a
 * folder and has a row of its own, such as the console's page, is judged by that row.
 */
interface Neighbours {
  readonly folders: readonly string[];
  readonly packages: readonly string[] | 'any';
}

const PURE = ['core', 'prompt', 'ingress', 'metrics', 'config', 'state'];

// prettier-ignore
const MAY_IMPORT: Readonly<Record<string, Neighbours>> = {
  core:      { folders: [],                                       packages: [] },
  prompt:    { folders: ['core'],                                 packages: [] },
  ingress:   { folders: ['core'],                                 packages: [] },
  metrics:   { folders: ['core'],                                 packages: [] },
  config:    { folders: ['core'],                                 packages: ['zod', 'yaml'] },
  state:     { folders: ['core'],                                 packages: ['p-limit'] },
  pipeline:  { folders: PURE,                                     packages: [] },
  upstream:  { folders: [...PURE, 'pipeline'],                    packages: ['@anthropic-ai/sdk'] },
  console:   { folders: [...PURE, 'pipeline'],                    packages: [] },
  'console/page': { folders: [...PURE, 'pipeline', 'console'],    packages: ['preact', 'uplot'] },
  'console/build-page.ts': { folders: [],                         packages: ['esbuild', 'node:fs', 'node:url'] },
  http:      { folders: [...PURE, 'pipeline', 'upstream', 'console'], packages: ['hono'] },
  gateway:   { folders: [...PURE, 'pipeline', 'upstream', 'http', 'console'], packages: ['hono'] },
  prometheus: { folders: ['metrics'],                             packages: ['prom-client'] },
  redis:     { folders: ['core', 'state'],                        packages: 'any' },
  worker:    { folders: [...PURE, 'pipeline', 'upstream', 'http', 'gateway', 'console', 'prometheus'], packages: 'any' },
  simulator: { folders: ['core/clock.ts'],                        packages: ['hono'] },
  node:      { folders: [...PURE, 'pipeline', 'upstream', 'http', 'gateway', 'console', 'redis', 'prometheus', 'simulator'], packages: 'any' },
};

const SRC = new URL('../src/', import.meta.url);
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((path) => /\.tsx?$/.test(path));
const textOf = (path: string): string => readFileSync(new URL(path, SRC), 'utf8');

/** Everything that a module names as its source: imports, re-exports, for effect only and on demand. */
function importsOf(text: string): string[] {
  const statements = /^\s*(?:import|export)\b(?:[^'";]*\bfrom)?\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;
  return [...text.matchAll(statements)].map(([, source, onDemand]) => source ?? onDemand ?? '');
}

/** The row that a file is judged by: the longest that it is in. */
function rowOf(path: string): string | undefined {
  const rows = Object.keys(MAY_IMPORT).filter((row) => path === row || path.startsWith(`${row}/`));
  return rows.sort((one, another) => another.length - one.length)[0];
}

/** Why `path` may not import `source`; null where it may. */
function objection(path: string, source: string): string | null {
  const row = rowOf(path);
  const allowed = row === undefined ? undefined : MAY_IMPORT[row];
  if (row === undefined || !allowed) return `${path} is in no row of the table`;
  if (source.startsWith('.')) {
    const target = new URL(source, new URL(path, SRC)).href.slice(SRC.href.length);
    const targetFolder = target.split('/')[0] ?? '';
    const isOwn = rowOf(target) === row;
    const isAllowed = isOwn || allowed.folders.some((one) => one === targetFolder || one === target);
    return isAllowed ? null : `${row} must not import ${target}`;
  }
  const name = /^(?:@[^/]+\/)?[^/]+/.exec(source)?.[0] ?? '';
  const isAllowed = allowed.packages === 'any' || allowed.packages.includes(name);
  return isAllowed ? null : `${row} must not import ${source}`;
}

describe('imports under src/', () => {
  it.each(Object.keys(MAY_IMPORT))('of %s/ go only where the table lets them', (folder) => {
    const own = files.filter((path) => rowOf(path) === folder);
    expect(own).not.toEqual([]);
    const objections = own.flatMap((path) =>
      importsOf(textOf(path))
        .map((source) => objection(path, source))
        .filter((one) => one !== null)
        .map((one) => `${path}: ${one}`),
    );
    expect(objections).toEqual([]);
  });

  it('come from no folder that the table does not know', () => {
    expect(files.filter((path) => rowOf(path) === undefined)).toEqual([]);
  });

  const projects = Object.entries(MAY_IMPORT).filter(([row]) => existsSync(new URL(`${row}/tsconfig.json`, SRC)));
  it.each(projects)('of %s/ are what its tsconfig.json refers to, or more', (folder, { folders }) => {
    const { references } = JSON.parse(textOf(`${folder}/tsconfig.json`)) as { references: { path: string }[] };
    const own = new URL(`${folder}/`, SRC);
    const referred = references.map(({ path }) => new URL(`${path}/`, own).href.slice(SRC.href.length, -1));
    const known = folders.map((one) => one.split('/')[0]);
    expect(referred.filter((one) => !known.includes(one))).toEqual([]);
  });
});

describe('the reader of imports', () => {
  it('finds every way to name a module', () => {
    const text = `
import a, { type B } from './a.ts';
import type {
  C,
} from '../c.ts';
import 'for-effect';
export * from "@scope/all/part";
export { d } from './d.ts';
const lazy = await import('node:fs');
export const text = 'from here';
`;
    expect(importsOf(text)).toEqual(['./a.ts', '../c.ts', 'for-effect', '@scope/all/part', './d.ts', 'node:fs']);
  });

  it.each([
    ['core/sse.ts', 'node:buffer', 'core must not import node:buffer'],
    ['core/sse.ts', '../ingress/anthropic-answer.ts', 'core must not import ingress/anthropic-answer.ts'],
    ['simulator/cache/engine.ts', '../../core/usage.ts', 'simulator must not import core/usage.ts'],
    ['simulator/cache/engine.ts', '../../core/clock.ts', null],
    ['pipeline/relay.ts', '../http/app.ts', 'pipeline must not import http/app.ts'],
    ['pipeline/relay.ts', 'hono', 'pipeline must not import hono'],
    ['http/app.ts', 'hono/sse', null],
    ['http/app.ts', 'hono-extra', 'http must not import hono-extra'],
    ['node/cli.ts', 'node:fs', null],
  ])('judges that in %s importing %s is: %s', (path, source, verdict) => {
    expect(objection(path, source)).toBe(verdict);
  });
});
