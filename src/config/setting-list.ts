/**
 * The schema as a flat list: every setting with its default. The documentation is tested against it, and misspelt keys
 * are compared with it, so that a setting added to the schema is known everywhere.
 */
import * as z from 'zod/mini';
import { settingsSchema } from './schema.ts';

export interface SettingEntry {
  /** `tenants[].queue.timeout`; a list stands for each of its items. */
  readonly path: string;
  readonly fallback:
    { readonly kind: 'required' } | { readonly kind: 'optional' } | { readonly kind: 'default'; value: unknown };
}

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly required?: readonly string[];
  readonly default?: unknown;
}

/** Settings that hold a value or a list of values; a mapping is only the way to what is in it. */
export function listSettings(): SettingEntry[] {
  const root = z.toJSONSchema(settingsSchema, { io: 'input', unrepresentable: 'any' }) as SchemaNode;
  return listUnder(root, '');
}

function listUnder(node: SchemaNode, prefix: string): SettingEntry[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
    const path = prefix + name;
    const required = node.required?.includes(name) ?? false;
    if (child.properties) return listUnder(child, `${path}.`);
    const own: SettingEntry = { path, fallback: fallbackOf(child, required) };
    return child.items?.properties ? [own, ...listUnder(child.items, `${path}[].`)] : [own];
  });
}

function fallbackOf(node: SchemaNode, required: boolean): SettingEntry['fallback'] {
  if ('default' in node) return { kind: 'default', value: node.default };
  return { kind: required ? 'required' : 'optional' };
}
