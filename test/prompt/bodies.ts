import fc from 'fast-check';

/** Hostile and ordinary Messages bodies, rendered with the freedom that JSON allows: white space, escapes, big numbers. */

const text = fc.oneof(
  fc.string({ minLength: 1, maxLength: 30 }),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom('', '   ', '\n', '\u00a0', '"quoted" \\ back', '{"cache_control":{"type":"ephemeral"}}', '日本語'),
);
const marker = fc.constantFrom(
  { type: 'ephemeral' },
  { type: 'ephemeral', ttl: '5m' },
  { type: 'ephemeral', ttl: '1h' },
  { ttl: '1h', type: 'ephemeral' },
);
const maybeMarked = <T extends object>(block: fc.Arbitrary<T>) =>
  fc.tuple(block, fc.option(marker, { nil: undefined, freq: 5 }), fc.boolean()).map(([value, cacheControl, first]) => {
    if (cacheControl === undefined) return value;
    return first ? { cache_control: cacheControl, ...value } : { ...value, cache_control: cacheControl };
  });

/** As it comes out of JSON, which has no negative zero. */
const jsonValue = fc.jsonValue({ maxDepth: 2 }).map((value): unknown => JSON.parse(JSON.stringify(value)));

/** A tool input may well have a property called cache_control: data, not a marker. */
const input = fc.oneof(
  fc.dictionary(fc.string({ maxLength: 6 }), jsonValue, { maxKeys: 3, noNullPrototype: true }),
  fc.constant({ cache_control: { type: 'ephemeral' }, nested: { cache_control: null } }),
);
const textBlock = text.map((value) => ({ type: 'text', text: value }));
const image = fc.constant({ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk=' } });
const thinking = fc.constant({ type: 'thinking', thinking: 'hm', signature: 'c2ln' });
const toolUse = input.map((value) => ({ type: 'tool_use', id: 'toolu_1', name: 'run', input: value }));
const toolResult = fc
  .oneof(text, fc.array(maybeMarked(fc.oneof(textBlock, image)), { maxLength: 3 }))
  .map((content) => ({ type: 'tool_result', tool_use_id: 'toolu_1', content }));
const unknown = fc.constant({ type: 'of_tomorrow', payload: [1, 2] });
const block = maybeMarked(fc.oneof(textBlock, textBlock, image, thinking, toolUse, toolResult, unknown));
const message = fc
  .tuple(
    fc.constantFrom('user', 'assistant', 'system'),
    fc.oneof(text, fc.array(block, { maxLength: 5 })),
    fc.boolean(),
  )
  .map(([role, content, roleFirst]) => (roleFirst ? { role, content } : { content, role }));
const tool = maybeMarked(input.map((schema) => ({ name: 'run', description: 'd', input_schema: schema })));

export interface BodyValue {
  readonly tools?: readonly object[];
  readonly system?: string | readonly object[];
  readonly messages: readonly { readonly role: string; readonly content: string | readonly object[] }[];
  readonly [field: string]: unknown;
}

export const bodyValues: fc.Arbitrary<BodyValue> = fc
  .record(
    {
      model: fc.constantFrom('claude-opus-5-5', 'of-tomorrow'),
      max_tokens: fc.nat(),
      tools: fc.array(tool, { maxLength: 4 }),
      system: fc.oneof(text, fc.array(maybeMarked(textBlock), { maxLength: 3 })),
      messages: fc.array(message, { maxLength: 6 }),
      cache_control: marker,
      tool_choice: fc.constant({ type: 'auto' }),
      metadata: fc.constant({ user_id: 'u', cache_control: { type: 'ephemeral' } }),
      temperature: fc.double({ noNaN: true }),
    },
    { requiredKeys: ['messages'] },
  )
  .chain((value) =>
    fc
      .shuffledSubarray(Object.keys(value), { minLength: Object.keys(value).length })
      .map((keys) => [value, keys] as const),
  )
  .map(([value, keys]) => Object.fromEntries(keys.map((key) => [key, value[key as keyof typeof value]])) as BodyValue);

/** Renders a value with white space and escapes drawn from `dice`. */
export function render(value: unknown, dice: () => number): string {
  const gap = (): string => ['', '', '', ' ', '\n', '\t '][dice() % 6] as string;
  const string = (one: string): string =>
    JSON.stringify(one).replace(/[a-z]/g, (letter) =>
      dice() % 40 === 0 ? `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}` : letter,
    );
  if (typeof value === 'string') return escapeSafely(value, string, dice);
  if (Array.isArray(value)) return `[${gap()}${value.map((item) => render(item, dice) + gap()).join(`,${gap()}`)}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    const rendered = members.map(
      ([key, member]) => `${escapeSafely(key, string, dice)}${gap()}:${gap()}${render(member, dice)}${gap()}`,
    );
    return `{${gap()}${rendered.join(`,${gap()}`)}}`;
  }
  return JSON.stringify(value);
}

/** Escaping single letters inside an existing escape would change it: only plain strings get extra escapes. */
function escapeSafely(value: string, escaped: (value: string) => string, dice: () => number): string {
  return /^[\w ]*$/.test(value) && dice() % 3 === 0 ? escaped(value) : JSON.stringify(value);
}

export const renderedBodies = fc
  .tuple(bodyValues, fc.infiniteStream(fc.nat({ max: 1000 })), fc.constantFrom('', '\ufeff', ' \n'))
  .map(([value, stream, lead]) => {
    const dice = (): number => stream.next().value as number;
    return { value, text: lead + render(value, dice) };
  });
