import * as fc from 'fast-check';

/** Event streams as arbitraries, and the plainest reader of them that can be written: the whole text at once. */
export interface SseEvent {
  readonly type: string;
  readonly data: string;
}

const BYTE_ORDER_MARK = '\uFEFF';

/** Reads a whole stream; a line without its end and an event without its blank line are not there yet. */
export function readWholeStream(bytes: Uint8Array, wants: (type: string) => boolean): SseEvent[] {
  const events: SseEvent[] = [];
  let type = '';
  let data: string[] = [];
  let hasFields = false;
  for (const line of wholeLines(bytes)) {
    if (line === '') {
      if (hasFields) events.push({ type, data: data.join('\n') });
      [type, data, hasFields] = ['', [], false];
      continue;
    }
    const [, name, value] = /^([^:]*):? ?([^]*)$/.exec(line) ?? [];
    if (name === 'event') type = value ?? '';
    if (name === 'data' && wants(type)) data.push(value ?? '');
    if (name === 'event' || name === 'data') hasFields = true;
  }
  return events;
}

/** Whether a reader of these bytes stands between two events. */
export function isBetweenEvents(bytes: Uint8Array): boolean {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  if (!/(^|[\r\n])$/.test(text)) return false;
  const lines = wholeLines(bytes).filter((line) => !line.startsWith(':'));
  return lines.length === 0 || lines.at(-1) === '';
}

function wholeLines(bytes: Uint8Array): string[] {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const afterMark = text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
  return afterMark.split(/\r\n|\n|\r/).slice(0, -1);
}

export const TYPES = ['message_start', 'content_block_delta', 'ping', 'é'] as const;

const value = fc.oneof(fc.constantFrom('{"type":"x"}', '', ' two spaces', BYTE_ORDER_MARK, 'a:b', '😀'), fc.string());
const line = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constantFrom('data: ', 'data:'), value).map((parts) => parts.join('')) },
  {
    weight: 3,
    arbitrary: fc.tuple(fc.constantFrom('event: ', 'event:'), fc.constantFrom(...TYPES)).map((parts) => parts.join('')),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ': a comment',
      ':',
      'id: 7',
      'retry: 100',
      'data',
      'event',
      'database: no',
      'events: no',
      ' data: no',
    ),
  },
  { weight: 1, arbitrary: value },
);
const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
const ended = fc.tuple(line, lineEnd).map(([text, end]) => text.replaceAll(/[\r\n]/g, '') + end);
const event = fc.tuple(fc.array(ended, { maxLength: 4 }), lineEnd).map(([lines, blank]) => lines.join('') + blank);

/** Whole events and, now and then, a last one that is not finished. */
export const streams = fc
  .tuple(fc.constantFrom('', BYTE_ORDER_MARK), fc.array(event, { maxLength: 6 }), fc.oneof(fc.constant(''), line))
  .map((parts) => new TextEncoder().encode(parts.flat().join('')));

/** The same bytes in pieces that end at the given places. */
export function split(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

export const splits = fc.array(fc.nat(), { maxLength: 12 });
