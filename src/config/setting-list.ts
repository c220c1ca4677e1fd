/**
 * The schema as a flat list: every setting with its default. The documentation is tested against it, and misspelt keys
 * are compared with it, so that a setting added to the schema is known everywhere. It is read off the schema's own parts
 * (zod's documents: zod/v4/core, `$ZodTypes`); to make a JSON Schema first would take another 20 KB of every bundle.
 */
import type { z } from 'zod/mini';
import { settingsSchema } from './schema.ts';

export interface SettingEntry {
  /** `tenants[].queue.timeout`; a list stands for each of its items. */
  readonly path: string;
  readonly fallback:
    { readonly kind: 'required' } | { readonly kind: 'optional' } | { readonly kind: 'default'; value: unknown };
}

type Schema = z.core.$ZodTypes;

/** Settings that hold a value or a list of values; a mapping is only the way to what is in it. */
export function listSettings(): SettingEntry[] {
  return listUnder(settingsSchema._zod.def.shape, '');
}

function listUnder(shape: z.core.$ZodShape, prefix: string): SettingEntry[] {
  return Object.entries(shape).flatMap(([name, schema]) => {
    const path = prefix + name;
    const { inner, fallback } = unwrapped(schema as Schema);
    if (inner._zod.def.type === 'object') return listUnder(inner._zod.def.shape, `${path}.`);
    const items = inner._zod.def.type === 'array' ? (inner._zod.def.element as Schema)._zod.def : null;
    const within = items?.type === 'object' ? listUnder(items.shape, `${path}[].`) : [];
    return [{ path, fallback }, ...within];
  });
}

function unwrapped(schema: Schema): { readonly inner: Schema; readonly fallback: SettingEntry['fallback'] } {
  const { def } = schema._zod;
  if (def.type === 'optional') return { inner: def.innerType as Schema, fallback: { kind: 'optional' } };
  if (def.type !== 'prefault') return { inner: schema, fallback: { kind: 'required' } };
  return { inner: def.innerType as Schema, fallback: { kind: 'default', value: def.defaultValue } };
}
