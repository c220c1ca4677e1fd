// The requests' bodies: an agent's tool loop that fills the asked size exactly, as dense in quotes and escapes as real ones
// (80-110 quotes per KB; half of that in 2 KB), since that is what a parse or a scan costs. All but the last turn is the same in every request and
// the last one is different each time, as with an app that has one long prompt and many users. A body is two parts, so
// that the large one is built once and never written to while a socket still holds it.

import type { Shape } from './cells.ts';

const NUMBER_DIGITS = 12;
const ROWS_PER_RESULT = 4;

const TOOL = {
  name: 'search_flights',
  description: 'Finds the flights between two airports on a day, with their seats and prices.',
  input_schema: {
    type: 'object',
    properties: { origin: { type: 'string' }, destination: { type: 'string' }, date: { type: 'string' } },
    required: ['origin', 'destination', 'date'],
  },
};
const SYSTEM = 'You help travellers.\n\n# Rules\n- Say "not found" when nothing fits.\n- Never invent a price.';

const THOUGHT =
  'The traveller would rather leave in the morning and has one bag, so I look at the earliest departures first and leave ' +
  'out those with a change of airport on the way.';

export interface BodyTemplate {
  readonly shared: Buffer;
  readonly totalBytes: number;
  /** The closing part, with a question that no other number asks. */
  last(requestNumber: number): Buffer;
}

const templates = new Map<string, BodyTemplate>();

export function bodyTemplate(bodyBytes: number, shape: Shape): BodyTemplate {
  const key = `${bodyBytes} ${shape}`;
  const known = templates.get(key);
  if (known !== undefined) return known;
  const shared = sharedPart(bodyBytes - lastPart(0).length, shape);
  const made = { shared, totalBytes: bodyBytes, last: lastPart };
  templates.set(key, made);
  return made;
}

function sharedPart(sharedBytes: number, shape: Shape): Buffer {
  const parts = [opening(shape), message('user', [{ type: 'text', text: 'Which flights fit my dates?' }])];
  const closingTurn = (padding: string): string =>
    message('assistant', [{ type: 'text', text: `Here is what I found. ${padding}` }]);
  let room = sharedBytes - parts.join('').length - closingTurn('').length;
  for (let call = 0; room > toolCall(call).length; call += 1) {
    parts.push(toolCall(call));
    room -= toolCall(call).length;
  }
  if (room < 0) throw new Error(`a body cannot be as small as ${sharedBytes} bytes`);
  return Buffer.from([...parts, closingTurn('.'.repeat(room))].join(''));
}

function opening(shape: Shape): string {
  const fields = { model: 'claude-sonnet-4-5', max_tokens: 1024, stream: shape !== 'json', tools: [TOOL] };
  const system = [{ type: 'text', text: SYSTEM }];
  return `${JSON.stringify({ ...fields, system }).slice(0, -1)},"messages":[`;
}

// The call and its result in two turns, so that the roles go on alternating and each tool_use is answered.
function toolCall(call: number): string {
  const id = `toolu_01Bench${String(call).padStart(11, '0')}`;
  const input = { origin: 'AMS', destination: 'LIS', date: `2026-11-${10 + (call % 20)}` };
  const rows = Array.from({ length: ROWS_PER_RESULT }, (_, row) => ({
    flight: `HAT${100 + row}`,
    departs: `0${row}:15`,
    cabin: 'economy',
    seats: call % 9,
    note: 'one "carry-on" bag of eight kilograms, no meal;\nchanges cost a fee, and the name on the ticket cannot be changed',
  }));
  return (
    message('assistant', [
      { type: 'text', text: THOUGHT },
      { type: 'tool_use', id, name: TOOL.name, input },
    ]) + message('user', [{ type: 'tool_result', tool_use_id: id, content: JSON.stringify(rows) }])
  );
}

function message(role: string, content: readonly object[]): string {
  return `${JSON.stringify({ role, content })},`;
}

function lastPart(requestNumber: number): Buffer {
  const number = String(requestNumber).padStart(NUMBER_DIGITS, '0');
  return Buffer.from(`{"role":"user","content":"question ${number}?"}]}`);
}
