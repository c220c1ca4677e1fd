import { describe, expect, it } from 'vitest';
import { objectIdOf, saysNotFound, withResultsHere } from '../../src/ingress/object-answer.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const led = (text: string): string =>
  new TextDecoder('utf-8', { ignoreBOM: true }).decode(withResultsHere(bytesOf(text), 'https://here.test:1'));
const here = (id: string): string => `"https://here.test:1/v1/messages/batches/${id}/results"`;

describe('the id of an object', () => {
  it('is that of the object itself, whatever has one within it', () => {
    expect(objectIdOf(bytesOf(' {"a":{"id":"x"},"id" : "msgbatch_1","b":[{"id":"y"}]}'))).toBe('msgbatch_1');
  });

  it.each(['', '[]', '"id"', '{"id":7}', '{"id":null}', '{"other":"id"}', '{"id"'])('is not in %s', (text) => {
    expect(objectIdOf(bytesOf(text))).toBeNull();
  });
});

describe('an error', () => {
  it('says that an object is not there by its type alone', () => {
    const error = { message: 'gone', type: 'not_found_error' };
    expect(saysNotFound(bytesOf(JSON.stringify({ type: 'error', error })))).toBe(true);
  });

  it.each([
    '',
    '<html>404</html>',
    '{"type":"not_found_error"}',
    '{"error":"not_found_error"}',
    '{"error":{"type":404}}',
  ])('does not in %j', (text) => {
    expect(saysNotFound(bytesOf(text))).toBe(false);
  });
});

describe('results', () => {
  it('are led here, and no other byte changes', () => {
    const batch = (url: string): string =>
      `\ufeff { "x":[1.0, {"results_url":"no"}],"results_url" :${url} ,"id":"b1"}\n`;
    expect(led(batch('"https:\\/\\/api.anthropic.com\\/v1"'))).toBe(batch(here('b1')));
  });

  it('of a list are led here, each with its own id', () => {
    const list = (one: string, two: string): string =>
      `{"data":[{"id":"b1","results_url":${one}}, {"results_url":${two},"id":"b2"},{"id":"b3"}],"has_more":false}`;
    expect(led(list('"a"', '"b"'))).toBe(list(here('b1'), here('b2')));
  });

  it('cannot lead elsewhere by an odd id', () => {
    expect(led('{"id":"../\\u0022?x","results_url":"a"}')).toContain('/batches/..%2F%22%3Fx/results"');
  });

  it.each([
    '{"id":"b1","results_url":null}',
    '{"results_url":"a"}',
    '{"id":"b1","results_url":["a"]}',
    '{"data":7,"has_more":false}',
    '{"data":["results_url",null]}',
    '{"id":"b1","results_url":"a"',
    'not JSON at all',
    '',
  ])('are left alone in %s', (text) => expect(led(text)).toBe(text));
});
