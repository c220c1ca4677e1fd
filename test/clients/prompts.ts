/** What the clients of these tests ask about: a tool, and instructions long enough for the prompt cache. */

export const MODEL = 'claude-sonnet-5';
/** Its thinking is bound to all that stands before it: one byte changed on the way, and the next turn is a 400. */
export const BINDING_MODEL = 'claude-opus-5-5';

export const PLACE_SCHEMA = {
  type: 'object',
  properties: { place: { type: 'string' }, days: { type: 'integer', minimum: 1, maximum: 3 } },
  required: ['place', 'days'],
} as const;

export const WEATHER_TOOL = {
  name: 'get_weather',
  description: 'The weather of a place for some days.',
  input_schema: { ...PLACE_SCHEMA, required: [...PLACE_SCHEMA.required] },
};

/** Above the smallest prefix that any of the models caches. */
export const INSTRUCTIONS = Array.from(
  { length: 400 },
  (_, index) => `Rule ${index + 1}: say what the weather is — not what it might have been — in °C.`,
).join('\n');
