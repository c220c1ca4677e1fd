/**
 * What the schema found, as faults. Our own readers bring their words with them; zod's own findings are three: a key
 * that is not known, something that should be a mapping, something that should be a list.
 */
import type { z } from 'zod/mini';
import type { Fault, Path } from './fault.ts';
import { nearest } from './nearest.ts';
import { valueAt } from './raw.ts';
import { settingsSchema, type Settings } from './schema.ts';
import { listSettings } from './setting-list.ts';

export type SettingsReading =
  | { readonly kind: 'settings'; readonly settings: Settings }
  | { readonly kind: 'faulty'; readonly faults: readonly Fault[] };

export function readSettings(raw: unknown): SettingsReading {
  const result = settingsSchema.safeParse(raw);
  if (result.success) return { kind: 'settings', settings: result.data };
  return { kind: 'faulty', faults: result.error.issues.flatMap((issue) => toFaults(issue, raw)) };
}

function toFaults(issue: z.core.$ZodIssue, raw: unknown): Fault[] {
  const at = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(at, key));
  if (issue.code === 'invalid_type') return [wrongShape(at, issue.expected, valueAt(raw, at))];
  const mend: unknown = issue.code === 'custom' ? issue.params?.['mend'] : undefined;
  const subject: unknown = issue.code === 'custom' ? issue.params?.['subject'] : undefined;
  return [{ at, phrase: issue.message, subject, mend: typeof mend === 'string' ? mend : 'see docs/settings.md' }];
}

function wrongShape(at: Path, expected: string, value: unknown): Fault {
  const shape = expected === 'array' ? 'a list' : 'a mapping';
  const example = expected === 'array' ? 'entries that each begin with a dash' : 'name: value lines below it';
  if (value === undefined) return { at, phrase: 'is missing', mend: `add ${shape}: ${example}` };
  if (value === null) return { at, phrase: 'is empty', mend: `give it ${example}, or remove the line` };
  return { at, phrase: `is not ${shape}`, mend: `write ${example}` };
}

function unknownKey(at: Path, key: string): Fault {
  const prefix = at.map((part) => (typeof part === 'number' ? '[]' : `.${part}`)).join('');
  const section = prefix === '' ? '' : `${prefix.slice(1)}.`;
  return { at: [...at, key], phrase: 'is not known', mend: mendUnknownKey(section, key) };
}

function mendUnknownKey(section: string, key: string): string {
  const paths = listSettings().map(({ path }) => path);
  const inside = paths.filter((path) => path.startsWith(section)).map((path) => path.slice(section.length));
  const siblings = [...new Set(inside.map((path) => path.replace(/[.[].*$/, '')))];
  const guess = nearest(key, siblings);
  if (guess !== undefined) return `did you mean ${guess}?`;
  const elsewhere = paths.find((path) => path.endsWith(`.${key}`));
  if (elsewhere !== undefined) return `did you mean ${elsewhere}?`;
  return `remove it; known here: ${siblings.join(', ')}`;
}
