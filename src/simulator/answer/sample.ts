import { pick } from '../wire/digest.ts';
import { isObject, type Json, type JsonObject, listOf, objectOf, textOf } from '../wire/json.ts';

/**
 * A value that a JSON schema accepts, the same for the same topic: tool inputs and structured answers. Covers what tool
 * schemas use in practice (types, enum, const, anyOf, $ref into $defs, bounds); `pattern` and the like are not honoured.
 */
export function sample(schema: JsonObject, topic: string, seed: number, root: JsonObject = schema, depth = 0): Json {
  const chosen = resolve(schema, root);
  if ('const' in chosen) return chosen['const'] ?? null;
  const options = listOf(chosen['enum']);
  if (options.length > 0) return options[pick(0, options.length - 1, topic, seed)] ?? null;
  const branches = [...listOf(chosen['anyOf']), ...listOf(chosen['oneOf'])].filter(isObject);
  if (branches[0]) return depth > 5 ? null : sample(branches[0], topic, seed, root, depth + 1);
  return sampleOfType(chosen, topic, seed, root, depth);
}

function sampleOfType(schema: JsonObject, topic: string, seed: number, root: JsonObject, depth: number): Json {
  const type = Array.isArray(schema['type']) ? schema['type'][0] : (schema['type'] ?? guessType(schema));
  switch (type) {
    case 'object':
      return depth > 5 ? {} : sampleObject(schema, topic, seed, root, depth);
    case 'array':
      return depth > 5 ? [] : sampleArray(schema, topic, seed, root, depth);
    case 'integer':
    case 'number':
      return pick(lowest(schema), highest(schema), topic, seed);
    case 'boolean':
      return pick(0, 1, topic, seed) === 1;
    case 'null':
      return null;
    default:
      return sampleText(schema, topic, seed);
  }
}

function sampleObject(schema: JsonObject, topic: string, seed: number, root: JsonObject, depth: number): JsonObject {
  const required = new Set(listOf(schema['required']));
  const made: JsonObject = {};
  for (const [name, property] of Object.entries(objectOf(schema['properties']))) {
    const wanted = required.has(name) || pick(0, 2, `${topic}.${name}?`, seed) === 0;
    if (wanted) made[name] = sample(objectOf(property), `${topic}.${name}`, seed, root, depth + 1);
  }
  return made;
}

function sampleArray(schema: JsonObject, topic: string, seed: number, root: JsonObject, depth: number): Json[] {
  const least = typeof schema['minItems'] === 'number' ? schema['minItems'] : 1;
  const items = objectOf(schema['items']);
  return Array.from({ length: Math.max(1, least) }, (_, index) =>
    sample(items, `${topic}[${index}]`, seed, root, depth + 1),
  );
}

function sampleText(schema: JsonObject, topic: string, seed: number): string {
  switch (schema['format']) {
    case 'date':
      return '2026-11-22';
    case 'date-time':
      return '2026-11-22T09:30:00Z';
    case 'uri':
      return 'https://example.com/';
    case 'email':
      return 'someone@example.com';
    default: {
      const name = topic.split('.').at(-1) ?? 'value';
      const text = `${name} ${pick(100, 999, topic, seed)}`;
      return typeof schema['maxLength'] === 'number' ? text.slice(0, schema['maxLength']) : text;
    }
  }
}

function resolve(schema: JsonObject, root: JsonObject): JsonObject {
  const reference = textOf(schema['$ref']);
  if (!reference.startsWith('#/')) return schema;
  const target = reference.slice(2).split('/');
  return target.reduce<JsonObject>((at, step) => objectOf(at[step]), root);
}

function guessType(schema: JsonObject): string {
  return 'properties' in schema ? 'object' : 'items' in schema ? 'array' : 'string';
}

function lowest(schema: JsonObject): number {
  return typeof schema['minimum'] === 'number' ? schema['minimum'] : 1;
}

function highest(schema: JsonObject): number {
  return typeof schema['maximum'] === 'number'
    ? Math.min(schema['maximum'], lowest(schema) + 1000)
    : lowest(schema) + 9;
}
