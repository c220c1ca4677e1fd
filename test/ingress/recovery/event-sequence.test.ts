import { describe, expect, it } from 'vitest';
import { eventsIn, faultOf, type StreamEvent } from '../../support/event-sequence.ts';
import { fixture } from './streams.ts';

const WHOLE = ['no-cache-fields', 'refusal', 'text', 'thinking', 'tool-use', 'server-tool-loop'];

/** The events with one change that makes them an invalid sequence. */
function spoilt(name: string, spoil: (events: StreamEvent[]) => void): string | null {
  const events = eventsIn(fixture(name));
  spoil(events);
  return faultOf(events);
}

const at = (events: StreamEvent[], type: string) => events.findIndex((event) => event.type === type);

describe('the check of an event sequence', () => {
  it.each(WHOLE)('finds nothing wrong with %s', (name) => {
    expect(faultOf(eventsIn(fixture(name)))).toBeNull();
  });

  it.each([
    ['message_start', 'missing'],
    ['content_block_start', 'missing'],
    ['content_block_stop', 'missing'],
    ['message_delta', 'missing'],
    ['message_stop', 'missing'],
    ['message_start', 'there twice'],
    ['content_block_start', 'there twice'],
    ['content_block_stop', 'there twice'],
    ['message_stop', 'there twice'],
  ] as const)('finds %s %s', (type, how) => {
    const fault = spoilt('text', (events) => {
      const index = at(events, type);
      if (how === 'missing') events.splice(index, 1);
      else events.splice(index, 0, events[index] as StreamEvent);
    });
    expect(fault).not.toBeNull();
  });

  it('finds an index that is left out, a delta of another kind, and an error', () => {
    const renumbered = (events: StreamEvent[]) => {
      for (const [place, { type, data }] of events.entries())
        if (data['index'] === 1) events[place] = { type, data: { ...data, index: 2 } };
    };
    const mixed = (events: StreamEvent[]) => {
      events[at(events, 'content_block_delta')] = {
        type: 'content_block_delta',
        data: { index: 0, delta: { type: 'input_json_delta', partial_json: '' } },
      };
    };
    expect(spoilt('tool-use', renumbered)).toMatch(/content_block_start/);
    expect(spoilt('text', mixed)).toMatch(/content_block_delta/);
    expect(spoilt('error-inside', () => {})).toMatch(/error/);
  });
});
