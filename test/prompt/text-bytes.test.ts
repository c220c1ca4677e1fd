import { describe, expect, it } from 'vitest';
import { prefixOfBody, text, user } from './prefixes.ts';

const data = 'aGkK'.repeat(100_000);
const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data } };
const linked = { type: 'image', source: { type: 'url', url: 'https://pictures.test/1.png' } };
const pdf = { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data } };
const note = { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'A short note.' } };
const result = (content: unknown) => ({ type: 'tool_result', tool_use_id: 'toolu_1', content });

const weigh = (block: object): number => prefixOfBody({ messages: [user([block])] }).bytes[0] ?? 0;

describe('a position weighs', () => {
  it('as many bytes as it has, where it is text', () => {
    for (const block of [
      text('Be kind.'),
      result('sunny'),
      note,
      { type: 'tool_use', id: 't', name: 'n', input: { source: data } },
    ]) {
      expect(weigh(block)).toBe(JSON.stringify(block).length);
    }
  });

  it.each<[string, object]>([
    ['of any size', image],
    ['by its address', linked],
    ['that a tool gave back', result([text('Look:'), image])],
  ])('what a picture costs, for a picture %s', (_what, block) => {
    expect(weigh(block)).toBeGreaterThan(4_800);
    expect(weigh(block)).toBeLessThan(5_000);
  });

  it.each([
    ['plain text', { type: 'text', media_type: 'text/plain', data }],
    ['blocks of text', { type: 'content', content: [{ type: 'text', text: data }] }],
  ])('its bytes when it is a document of %s, however long', (_name, source) => {
    const block = { type: 'document', source };
    expect(weigh(block)).toBe(JSON.stringify(block).length);
  });

  it('a part of its data, for a PDF', () => {
    expect(weigh(pdf)).toBeGreaterThan(data.length / 9);
    expect(weigh(pdf)).toBeLessThan(data.length / 7);
  });
});
