import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { NOT_YET } from '../../src/config/not-yet.ts';
import { listSettings } from '../../src/config/setting-list.ts';
import { accept } from './parsing.ts';

const file = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const page = file('docs/settings.md');

/** The rows of the table of settings: the code in the first cell, the whole second cell. */
const rows = [...page.matchAll(/^\| `([^`]+)` +\| ([^|]+?) +\|/gm)].map(([, path, fallback]) => ({ path, fallback }));

describe('docs/settings.md', () => {
  it('lists exactly the settings of the schema, in its order', () => {
    expect(rows.map(({ path }) => path)).toEqual(listSettings().map(({ path }) => path));
  });

  it.each(listSettings())('gives the default of $path', ({ path, fallback }) => {
    const cell = rows.find((row) => row.path === path)?.fallback ?? '';
    if (fallback.kind === 'required') expect(cell).toBe('required');
    else if (fallback.kind === 'optional') expect(cell).not.toMatch(/^(`.*`|required)$/);
    else
      expect(cell).toBe(`\`${typeof fallback.value === 'string' ? fallback.value : JSON.stringify(fallback.value)}\``);
  });

  it('names the settings that have no effect yet, and no others', () => {
    const section = /## Read, but not acted on yet\n([^#]*)/.exec(page)?.[1] ?? '';
    const named = [...section.matchAll(/`([a-z][\w[\]]*(?:\.\w+)+|state)`/gi)].map(([, path]) => path);
    expect(new Set(named)).toEqual(new Set(NOT_YET.map(({ setting }) => setting)));
  });

  const examples = [...page.matchAll(/```yaml\n([^]*?)```/g)].map(([, text]) => text ?? '');
  it.each(examples)('has an example that is accepted without a notice: %j', (text) => {
    expect(accept(text, namedVariables(text)).notices).toEqual([]);
  });

  it('shows pass-through and managed', () => {
    const modes = examples.map((text) => accept(text, namedVariables(text)).config.mode);
    expect(new Set(modes)).toEqual(new Set(['pass-through', 'managed']));
  });
});

describe('slipstream.example.yaml', () => {
  const example = file('slipstream.example.yaml');

  it('is accepted without a notice, given the variables it names', () => {
    const { config, notices } = accept(example, namedVariables(example));
    expect(notices).toEqual([]);
    expect(config.mode).toBe('managed');
  });

  it('names in its head the variables it asks for', () => {
    const asked = Object.keys(namedVariables(example));
    expect(/environment variables: (.+)\./.exec(example)?.[1]?.split(', ')).toEqual(asked);
  });
});

function namedVariables(text: string): Record<string, string> {
  const names = [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name ?? '');
  return Object.fromEntries(names.map((name) => [name, `a-long-enough-value-of-${name}`]));
}
