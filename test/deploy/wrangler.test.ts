import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fileText } from './deploy-files.ts';

const toml = fileText('wrangler.toml');
const all = (pattern: RegExp): string[] => [...toml.matchAll(pattern)].map(([, found]) => found ?? '');
const classes = all(/^class_name = "(\w+)"/gm);

describe('wrangler.toml', () => {
  it('binds classes that the entry exports', () => {
    const entry = fileText(all(/^main = "([^"]+)"/gm)[0] ?? '');
    const exported = [...entry.matchAll(/^export (?:class (\w+)|\{ ([\w, ]+) \})/gm)]
      .flatMap(([, name, names]) => name ?? names?.split(', ') ?? [])
      .toSorted();
    expect(exported).toEqual(classes.toSorted());
  });

  it('makes every class one with storage, in the migration that brings it', () => {
    const migrated = all(/new_sqlite_classes = \[([^\]]+)\]/g).flatMap((list) => list.split(/, */));
    expect(migrated.map((name) => name.replaceAll('"', ''))).toEqual(classes);
  });

  it('binds them under the names that the environment of the worker has', () => {
    const environment = fileText('src/worker/environment.ts');
    const bindings = all(/^name = "([A-Z]+)"/gm);
    expect(bindings.filter((name) => !environment.includes(`readonly ${name}: DurableObjectNamespace<`))).toEqual([]);
  });

  it('asks for no behaviour that is newer than the workerd it is tested on', () => {
    const { devDependencies } = z
      .looseObject({ devDependencies: z.record(z.string(), z.string()) })
      .parse(JSON.parse(fileText('package.json')));
    const [, year, month, day] = /^1\.(\d{4})(\d\d)(\d\d)\./.exec(devDependencies['workerd'] ?? '') ?? [];
    const date = all(/^compatibility_date = "([\d-]+)"/gm)[0] ?? '';
    expect(date).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect(date <= `${year}-${month}-${day}`).toBe(true);
  });

  it('is told of callers that hang up, which no date implies', () => {
    expect(toml).toContain('compatibility_flags = ["enable_request_signal"]');
  });

  it('has the limit of CPU time that docs/deploy.md tells of', () => {
    const limit = Number(all(/^cpu_ms = (\d+)/gm)[0]).toLocaleString('en-US');
    expect(fileText('docs/deploy.md')).toContain(`\`cpu_ms\` of wrangler.toml is ${limit}`);
  });
});
