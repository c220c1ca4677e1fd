import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createNamedFiles } from '../../../src/prompt/scan/file-ids.ts';
import { scanRequest } from '../../../src/prompt/scan/scan.ts';
import { bodyValues, render } from '../bodies.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

function namesFile(text: string): boolean {
  const scan = scanRequest(bytesOf(text));
  if (scan.kind === 'invalid') throw new Error(`${scan.code}: ${text}`);
  return scan.prompt.namesFile;
}

/** Each letter as it is, or escaped in one of the two ways that JSON has for it. */
const letters = Array.from('file_id', (letter) => {
  const code = (letter.codePointAt(0) ?? 0).toString(16);
  return fc.constantFrom(letter, `\\u00${code}`, `\\u00${code.toUpperCase()}`);
});
const fileNames = fc.tuple(...letters).map((written) => written.join(''));

/** Every kind of place that the scan reads in its own way, and what it skips. */
const PLACES = [
  ['a block', (file: string) => `{"messages":[{"role":"user","content":[{"type":"container_upload",${file}}]}]}`],
  [
    'a source',
    (file: string) => `{"messages":[{"role":"user","content":[{"type":"document","source":{"type":"file",${file}}}]}]}`,
  ],
  [
    'a source within a source',
    (file: string) =>
      `{"messages":[{"role":"user","content":[{"type":"document","source":{"type":"content","content":[{"type":"image","source":{${file}}}]}}]}]}`,
  ],
  [
    'a block of a tool result',
    (file: string) =>
      `{"messages":[{"role":"user","content":[{"type":"tool_result","content":[{"type":"image","source":{${file}}}]}]}]}`,
  ],
  [
    'a tool result that is no list',
    (file: string) =>
      `{"messages":[{"role":"user","content":[{"type":"tool_result","content":{"source":{${file}}}}]}]}`,
  ],
  [
    'a tool input',
    (file: string) => `{"messages":[{"role":"assistant","content":[{"type":"tool_use","input":{"a":[{${file}}]}}]}]}`,
  ],
  ['a field of a message that nobody knows', (file: string) => `{"messages":[{"role":"user","x":{"y":{${file}}}}]}`],
  ['content of an unknown form', (file: string) => `{"messages":[{"role":"user","content":{${file}}}]}`],
  ['messages of an unknown form', (file: string) => `{"messages":{"a":{${file}}}}`],
  ['a tool', (file: string) => `{"tools":[{"name":"a",${file}}]}`],
  ['the system prompt', (file: string) => `{"system":[{"type":"text","text":"a",${file}}]}`],
  ['a system prompt of an unknown form', (file: string) => `{"system":{"source":{${file}}}}`],
  ['a list in the place of a message', (file: string) => `{"messages":[[{"source":{${file}}}]]}`],
  ['a field that the scan knows', (file: string) => `{"tool_choice":{"a":{${file}}}}`],
  ['a field that nobody knows', (file: string) => `{"source":{${file}}}`],
  ['the body itself', (file: string) => `{"type":"container_upload",${file}}`],
] as const;

describe('a body names files', () => {
  it.each(PLACES)('where the name stands in %s, however it is written', (_where, body) => {
    fc.assert(
      fc.property(fileNames, (name) => {
        expect(namesFile(body(`"${name}":"file_1"`))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('wherever a look for its files finds any', () => {
    const file = fc.record({ type: fc.constant('file'), file_id: fc.constant('file_1') });
    const holders = fc.letrec((tie) => ({
      any: fc.oneof(
        { depthSize: 'small' },
        file.map((source) => ({ source })),
        fc.record({ a: tie('any'), b: fc.string() }),
        fc.array(tie('any'), { minLength: 1, maxLength: 2 }),
      ),
    }));
    fc.assert(
      fc.property(bodyValues, holders.any, fc.infiniteStream(fc.nat({ max: 1000 })), (value, holder, stream) => {
        const text = render({ ...value, extra: holder }, () => stream.next().value as number);
        expect(createNamedFiles().push(bytesOf(text))).not.toEqual([]);
        expect(namesFile(text)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('not by talk of it, nor by names that are nearly the same', () => {
    const message = (content: unknown): string => JSON.stringify({ messages: [{ role: 'user', content }] });
    expect(namesFile(message('{"source":{"file_id":"file_1"}}'))).toBe(false);
    expect(namesFile(message([{ type: 'text', text: 'file_id' }]))).toBe(false);
    for (const name of ['file_ids', 'file-id', 'file_i', 'xile_id', 'File_id']) {
      expect(namesFile(JSON.stringify({ source: { [name]: 'file_1' } })), name).toBe(false);
    }
    const escaped = String.raw`{"source":{"file\u005fids":"a"}}`;
    expect(namesFile(escaped)).toBe(false);
  });
});
