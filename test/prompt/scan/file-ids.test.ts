import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMadeFiles, createNamedFiles } from '../../../src/prompt/scan/file-ids.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const named = (body: unknown): string[] => createNamedFiles().push(bytesOf(JSON.stringify(body)));
const file = (id: string): object => ({ source: { type: 'file', file_id: id } });

describe('files that a prompt names', () => {
  it('are those of sources and of uploads to a container, wherever they stand, in order', () => {
    const body = {
      system: [file('a')],
      messages: [{ content: [{ type: 'container_upload', file_id: 'b' }, { content: [{ x: [file('c')] }] }] }],
    };
    expect(named(body)).toEqual(['a', 'b', 'c']);
    expect(named({ source: { content: [file('inner')], file_id: 'outer' } })).toEqual(['inner', 'outer']);
  });

  it('are told whichever of its members comes first, and all of them where one comes twice', () => {
    const push = (text: string): string[] => createNamedFiles().push(bytesOf(text));
    expect(push('[{"file_id":"a","type":"container_upload"}]')).toEqual(['a']);
    expect(push('[{"file_id":"a","type":"container_upload","type":"text"}]')).toEqual(['a']);
    expect(push('{"source":{"file_id":"a","file_id":"b"}}')).toEqual(['a', 'b']);
  });

  it('are not what only looks like them', () => {
    expect(named({ file_id: 'a', files: [{ file_id: 'b', type: 'code_execution_output' }] })).toEqual([]);
    expect(named({ input: file('a'), input_schema: { properties: file('b') } })).toEqual([]);
    expect(named({ input_examples: [file('a')] })).toEqual([]);
    expect(named({ text: '{"source":{"file_id":"a"}}', 'source"': { file_id: 'b' } })).toEqual([]);
    expect(named({ source: [{ file_id: 'a' }], file_id: { source: 'b' }, type: 'source' })).toEqual([]);
    expect(named({ source: { file_id: 7, type: 'file' } })).toEqual([]);
  });

  it('are the same however the body is cut', () => {
    const text = String.raw`{"a\\":"\\\"source","sou\u0072ce" : {"type":"file" ,"fil\u0065_id":"fi\u006Ce_\"é1"},
      "b":[{"type":"container_upload","file_id":"file_2"},{"x":"${'y'.repeat(600)}"}],"source":{"file_id":"file_3"}}`;
    const bytes = bytesOf(text);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 12 }), (cuts) => {
        const files = createNamedFiles();
        const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
        const found = at.flatMap((start, index) => files.push(bytes.subarray(start, at[index + 1] ?? bytes.length)));
        expect(found).toEqual(['file_"é1', 'file_2', 'file_3']);
      }),
    );
  });

  it('are those that a parser finds, in any JSON', () => {
    const words = fc.constantFrom('source', 'file_id', 'type', 'container_upload', 'input', 'content', 'a"\\', 'é');
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof({ maxDepth: 5 }, words, fc.integer(), tie('list'), tie('object')),
      list: fc.array(tie('tree'), { maxLength: 3 }),
      object: fc.dictionary(words, tie('tree'), { maxKeys: 4 }),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        expect(named(value)).toEqual(filesIn(value, '', false));
      }),
      { numRuns: 500 },
    );
  });

  it('take no more memory than a thousand levels, and are found behind what is deeper', () => {
    const depth = 200_000;
    const text = `[${'{"a":['.repeat(depth)}${JSON.stringify(file('deep'))}${']}'.repeat(depth)},${JSON.stringify(file('a'))}]`;
    expect(createNamedFiles().push(bytesOf(text))).toEqual(['a']);
  });

  it('of an object that names very many of them include one that nobody has', () => {
    const names = Array.from({ length: 40 }, (_, at) => `"file_id":"${at}"`).join(',');
    expect(createNamedFiles().push(bytesOf(`{"source":{${names}}}`))).toContain('');
  });

  it('never fails on what is no JSON', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => void createNamedFiles().push(bytes)));
    for (const text of ['}}]]', '"\\', '{"source":{"file_id":"\\x"}}', '{"source":{"file_id":"\\u12"}}', ',:"'])
      expect(() => createNamedFiles().push(bytesOf(text))).not.toThrow();
  });
});

describe('files that code has made', () => {
  const made = (type: string, file_id: string): object => ({
    content_block: { content: { content: [{ type, file_id }] } },
  });

  it('are told in any form of an answer: JSON, lines of JSON, events', () => {
    const [one, two] = [made('code_execution_output', 'a'), made('bash_code_execution_output', 'b')];
    const texts = [
      JSON.stringify([one, two]),
      `${JSON.stringify(one)}\n${JSON.stringify(two)}\n`,
      `event: content_block_start\ndata: ${JSON.stringify(one)}\n\n: it's\r\n\r\nevent: x\r\ndata: ${JSON.stringify(two)}\r\n\r\n`,
    ];
    for (const text of texts) {
      const files = createMadeFiles();
      expect([...bytesOf(text)].flatMap((byte) => files.push(Uint8Array.of(byte)))).toEqual(['a', 'b']);
    }
  });

  it('are not what Claude says, whatever stands between the events of its stream', () => {
    const text = JSON.stringify({ text: JSON.stringify(made('code_execution_output', 'forged')) });
    const stream = `: a "comment\n\ndata: ${text}\n\ndata: ${JSON.stringify(made('code_execution_output', 'a'))}\n\n`;
    expect(createMadeFiles().push(bytesOf(stream))).toEqual(['a']);
    expect(createMadeFiles().push(bytesOf(`: "\\${stream}`))).toEqual(['a']);
    expect(createMadeFiles().push(bytesOf(`: {"input":{"\n${stream}`))).toEqual(['a']);
  });

  it('are not those that are named, cited, or told of in arguments and in text', () => {
    const output = made('code_execution_output', 'a');
    const others = [file('b'), made('container_upload', 'c'), made('char_location', 'd'), { input: output }];
    expect(createMadeFiles().push(bytesOf(JSON.stringify([...others, { text: JSON.stringify(output) }])))).toEqual([]);
  });
});

/** The rule again, on parsed values: the files of an object are told at its end, behind those within it. */
function filesIn(value: unknown, name: string, isArguments: boolean): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const within = isArguments || name === 'input' || name === 'input_schema';
  if (Array.isArray(value)) return value.flatMap((item) => filesIn(item, within ? 'input' : '', within));
  const inner = Object.entries(value).flatMap(([member, item]) => filesIn(item, member, within));
  const { file_id: id, type } = value as { file_id?: unknown; type?: unknown };
  const isNamed = !within && (name === 'source' || type === 'container_upload') && typeof id === 'string';
  return isNamed ? [...inner, id] : inner;
}
