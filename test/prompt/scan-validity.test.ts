import { isUtf8 } from 'node:buffer';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/core/errors.ts';
import { createRequestReader } from '../../src/prompt/scan/read-request.ts';
import { JSON_CASES } from '../core/json-cases.ts';
import { bytesOf, escapeAll, jsonObjects, jsonTrees, whitespaces, writeJson } from '../core/json-texts.ts';

type Validity =
  | { readonly kind: 'valid'; readonly model: string | null }
  | { readonly kind: 'invalid'; readonly code: ErrorCode; readonly detail?: string };

const readRequest = createRequestReader(isUtf8, null);

/** What a scan says of a body's validity, without what it finds in it. */
function readBytes(bytes: Uint8Array): Validity {
  const result = readRequest('a', bytes);
  return result.kind === 'scanned' ? valid(result.model) : result;
}

const read = (text: string): Validity => readBytes(bytesOf(text));
const valid = (model: string | null): Validity => ({ kind: 'valid', model });

describe('the validity of a body', () => {
  it.each([
    ['the model', '{"model":"claude-opus-5","messages":[]}', 'claude-opus-5'],
    ['the model wherever it stands', '{"messages":[{"model":"no"}],"model":"yes"}', 'yes'],
    ['the last of several', '{"model":"a","model":"b","max_tokens":1}', 'b'],
    ['a model whose name is written in escapes', `{"${escapeAll('model')}":"a"}`, 'a'],
    ['a model that is written in escapes', `{"model":"${escapeAll('claude-😀')}"}`, 'claude-😀'],
    ['an empty model', '{"model":""}', ''],
    ['a model that begins with a byte order mark', '{"model":"\uFEFFa"}', '\uFEFFa'],
    ['a body behind a byte order mark', '\uFEFF {"model":"a"}', 'a'],
  ])('reads %s', (_what, text, model) => {
    expect(read(text)).toEqual(valid(model));
  });

  it.each([
    ['no model', '{}'],
    ['a model that is no string', '{"model":{"name":"a"}}'],
    ['a string and then something else', '{"model":"a","model":7}'],
    ['a model with a capital letter in its name', '{"Model":"a"}'],
    ['a model too long to be one', `{"model":"${'m'.repeat(300)}"}`],
    ['a model one level down', '{"metadata":{"model":"a"}}'],
    ['a model longer than any name in escapes', `{"${escapeAll('model')}x":"a"}`],
  ])('carries a body with %s and names none', (_what, text) => {
    expect(read(text)).toEqual(valid(null));
  });

  it.each([
    ['body_not_json', '', 'It is empty.'],
    ['body_not_json', ' \n', 'It is empty.'],
    ['body_not_json', '{"a":1', 'It ends early, after 6 bytes.'],
    ['body_not_json', '{"a":1,}', 'Unexpected byte at offset 7.'],
    ['body_not_json', '{"a":1} x', 'Unexpected byte at offset 8.'],
    ['body_not_json', '[1,]', 'Unexpected byte at offset 3.'],
    ['body_not_json', '[] []', 'Unexpected byte at offset 3.'],
    ['body_not_json', '\u0000', 'Unexpected byte at offset 0.'],
    ['body_not_object', '[]', undefined],
    ['body_not_object', ' "text" ', undefined],
    ['body_not_object', 'null', undefined],
    ['stream_not_boolean', '{"stream":"true"}', undefined],
    ['stream_not_boolean', '{"stream":1}', undefined],
    ['stream_not_boolean', '{"stream":true,"stream":null}', undefined],
  ])('refuses as %s: %j', (code, text, detail) => {
    expect(read(text)).toEqual({ kind: 'invalid', code, ...(detail === undefined ? {} : { detail }) });
  });

  it('takes the last stream of several', () => {
    expect(read('{"stream":"no","stream":false}')).toEqual(valid(null));
  });

  it.each([
    ['a letter cut short', [0x22, 0xc3, 0x22]],
    ['an overlong slash', [0x22, 0xc0, 0xaf, 0x22]],
    ['a surrogate in bytes', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['Latin-1', [0x22, 0xe9, 0x22]],
  ])('refuses %s before it looks for JSON', (_what, bytes) => {
    expect(readBytes(Uint8Array.from(bytes))).toEqual({ kind: 'invalid', code: 'body_not_utf8' });
  });

  it.each(JSON_CASES)('agrees that it is %s inside a body: %j (%s)', (verdict, value) => {
    const result = read(`{"x":${value},"model":"a"}`);
    expect(result.kind === 'valid').toBe(isJson(`{"x":${value},"model":"a"}`));
    if (verdict === 'JSON') expect(result).toEqual(valid('a'));
  });

  it('agrees with JSON.parse on the model and on the last of duplicates', () => {
    const nameTexts = fc.constantFrom('"model"', `"${escapeAll('model')}"`, '"m\\u006fdel"', '"stream "', '"mode"');
    const members = fc.array(fc.record({ nameText: nameTexts, value: jsonTrees }), { maxLength: 4 });
    fc.assert(
      fc.property(jsonObjects, members, whitespaces, (tree, added, spaces) => {
        const text = writeJson({ kind: 'object', members: [...tree.members, ...added] }, spaces);
        const { model } = JSON.parse(text) as { model?: unknown };
        expect(read(text)).toEqual(valid(typeof model === 'string' ? model : null));
      }),
    );
  });

  it('takes any bytes without throwing, and only JSON objects as valid', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.string().map(bytesOf), fc.json().map(bytesOf)), (bytes) => {
        const { kind } = readBytes(bytes);
        if (kind === 'valid') expect(JSON.parse(new TextDecoder().decode(bytes))).toBeTypeOf('object');
      }),
      { numRuns: 1000 },
    );
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
