import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_USAGE } from '../../src/core/usage.ts';
import { readAnswer } from '../../src/ingress/anthropic-answer.ts';
import { bytesOf, jsonObjects, whitespaces, writeJson, type JsonMemberTree } from '../core/json-texts.ts';

const read = (text: string) => readAnswer(bytesOf(text));

describe('readAnswer', () => {
  it('reads usage, model and id of a message', () => {
    const answer = {
      id: 'msg_1',
      type: 'message',
      model: 'claude-opus-5-5',
      content: [{ type: 'tool_use', input: { model: 'not this', usage: { output_tokens: 99 } } }],
      usage: {
        input_tokens: 3,
        cache_read_input_tokens: 5,
        cache_creation_input_tokens: 30,
        cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
        output_tokens: 7,
        inference_geo: 'us',
        service_tier: 'standard',
        speed: 'fast',
      },
    };
    expect(read(JSON.stringify(answer, null, 2))).toEqual({
      model: 'claude-opus-5-5',
      id: 'msg_1',
      usage: {
        uncachedInput: 3,
        cacheRead: 5,
        cacheWrite5m: 10,
        cacheWrite1h: 20,
        output: 7,
        inferenceGeo: 'us',
        serviceTier: 'standard',
        speed: 'fast',
      },
    });
  });

  it('leaves cache counters at 0 where the upstream has none', () => {
    const { usage } = read('{"model":"qwen3","usage":{"input_tokens":4,"output_tokens":2}}');
    expect(usage).toEqual({ ...NO_USAGE, uncachedInput: 4, output: 2 });
  });

  it.each([
    ['an error', '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}'],
    ['a token count', '{"input_tokens":2095}'],
    ['nothing', ''],
    ['a page of HTML', '<html>502</html>'],
    ['an array', '[{"usage":{"output_tokens":1}}]'],
    ['an answer cut short before its usage', '{"model":7,"content":[{"text":"and th'],
  ])('finds no usage, model or id in %s', (_what, text) => {
    expect(read(text)).toEqual({ usage: null, model: null, id: null });
  });

  it('finds the same among any other members', () => {
    const own: readonly JsonMemberTree[] = [
      { nameText: '"usage"', value: { kind: 'scalar', text: '{"output_tokens":12}' } },
      { nameText: '"model"', value: { kind: 'scalar', text: '"claude-opus-5"' } },
      { nameText: '"id"', value: { kind: 'scalar', text: '"msg_1"' } },
    ];
    fc.assert(
      fc.property(jsonObjects, whitespaces, fc.nat(5), (tree, spaces, at) => {
        const members = [...tree.members.slice(0, at), ...own, ...tree.members.slice(at)];
        const facts = read(writeJson({ kind: 'object', members }, spaces));
        expect(facts).toEqual({ usage: { ...NO_USAGE, output: 12 }, model: 'claude-opus-5', id: 'msg_1' });
      }),
    );
  });
});
