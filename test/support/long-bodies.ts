import fc from 'fast-check';
import { textOf } from './cache-bodies.ts';

/**
 * Messages bodies that are mostly valid and long enough to be cached, of few texts, so that prefixes are met again; with
 * markers wherever a caller may put them, legal and not, and now and then something the API refuses.
 */
const text = fc
  .tuple(fc.constantFrom('apple', 'pear', 'plum ""\\ ☂'), fc.constantFrom(8, 400, 1_300))
  .map(([name, tokens]) => textOf(name, tokens));
const oddText = fc.oneof({ arbitrary: text, weight: 20 }, fc.constantFrom(' ', '\n\t', '\u200b', '\u2028', ''));
const marker = fc.constantFrom(
  { type: 'ephemeral' },
  { type: 'ephemeral', ttl: '5m' },
  { type: 'ephemeral', ttl: '1h' },
);
const oddMarker = fc.constantFrom(null, { type: 'eternal' }, { type: 'ephemeral', ttl: '2h' }, 'ephemeral');

function maybeMarked<T extends object>(block: fc.Arbitrary<T>): fc.Arbitrary<object> {
  const cacheControl = fc.oneof({ arbitrary: marker, weight: 30 }, { arbitrary: oddMarker, weight: 1 });
  return fc
    .tuple(block, cacheControl, fc.integer({ min: 0, max: 11 }))
    .map(([value, mark, dice]) => (dice === 0 ? { ...value, cache_control: mark } : value));
}

const textBlock = oddText.map((value) => ({ type: 'text', text: value }));
const IMAGE = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk='.repeat(2_000) } };
const userBlock = maybeMarked(fc.oneof({ arbitrary: textBlock, weight: 8 }, fc.constant(IMAGE)));
const userContent = fc.oneof(oddText, fc.array(userBlock, { minLength: 1, maxLength: 4 }));
const assistantContent = fc.oneof(text, fc.array(maybeMarked(textBlock), { minLength: 1, maxLength: 3 }));

/** A turn as messages: question and answer; sometimes with a call of a tool and its result between them. */
const plainTurn = fc.tuple(userContent, assistantContent).map(([question, answer]) => [
  { role: 'user', content: question },
  { role: 'assistant', content: answer },
]);
const toolTurn = fc
  .tuple(fc.nat({ max: 2 }), text, fc.option(marker, { nil: undefined, freq: 2 }))
  .map(([at, result, mark]) => {
    const id = `toolu_${at}`;
    const part = { type: 'text', text: result, ...(mark && at === 2 ? { cache_control: mark } : {}) };
    const answer = { type: 'tool_result', tool_use_id: id, content: at === 0 ? result : [part] };
    return [
      { role: 'user', content: 'Look it up.' },
      {
        role: 'assistant',
        content: [{ type: 'tool_use', id, name: 'tool0', input: { cache_control: { type: 'ephemeral' } } }],
      },
      { role: 'user', content: [mark && at !== 2 ? { ...answer, cache_control: mark } : answer] },
      { role: 'assistant', content: 'Found.' },
    ];
  });
const turns = fc.array(fc.oneof({ arbitrary: plainTurn, weight: 4 }, { arbitrary: toolTurn, weight: 1 }), {
  maxLength: 4,
});
const messages = fc
  .tuple(turns, userContent, fc.integer({ min: 0, max: 9 }), text)
  .map(([past, last, dice, instruction]) => [
    ...past.flat(),
    { role: 'user', content: last },
    ...(dice === 0 ? [{ role: 'system', content: instruction }] : []),
  ]);

const tool = fc.tuple(text, fc.integer({ min: 0, max: 9 })).map(([description, dice]) => ({
  description,
  input_schema: { type: 'object' },
  ...(dice === 0 ? { defer_loading: true } : {}),
}));
const tools = fc
  .array(maybeMarked(tool), { minLength: 1, maxLength: 3 })
  .map((list) => list.map((one, at) => ({ name: `tool${at}`, ...one })));

export interface LongBody {
  readonly messages: readonly object[];
  readonly [field: string]: unknown;
}

export const longBodies: fc.Arbitrary<LongBody> = fc
  .record(
    {
      model: fc.constantFrom('claude-sonnet-5', 'claude-opus-4-8', 'claude-haiku-4-5'),
      max_tokens: fc.constant(8),
      tools,
      system: fc.oneof(oddText, fc.array(maybeMarked(textBlock), { minLength: 1, maxLength: 3 })),
      messages,
      cache_control: marker,
      tool_choice: fc.constant({ type: 'auto' }),
    },
    { requiredKeys: ['model', 'max_tokens', 'tools', 'messages'] },
  )
  .chain((body) => fc.tuple(fc.constant(body), fc.integer({ min: 0, max: 5 })))
  .map(([{ cache_control: automatic, ...body }, dice]) =>
    automatic && dice === 0 ? { ...body, cache_control: automatic } : body,
  );
