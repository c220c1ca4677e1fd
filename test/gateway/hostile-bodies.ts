import { gzipSync } from 'node:zlib';

/** Bodies that a parse and a stringify would change, or that a careful gateway would be tempted to mend. All are JSON. */
export const HOSTILE_BODIES: Readonly<Record<string, string | Buffer>> = {
  'duplicate keys': '{"model":"a","model":"claude-sonnet-5","messages":[],"messages":[{"a":1,"a":2}]}',
  'keys in an unusual order': '{"stream":false,"messages":[],"max_tokens":1,"system":"s","model":"claude-sonnet-5"}',
  '10,000 levels': `{"model":"claude-sonnet-5","messages":${'['.repeat(10_000)}${']'.repeat(10_000)}}`,
  '10,000 levels of objects': `{"model":"claude-sonnet-5","x":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}}`,
  'escapes of lone surrogates':
    '{"model":"claude-sonnet-5","messages":[{"role":"user","content":"\\ud800 \\udc00\\uDBFF"}]}',
  'escapes where none are needed': '{"\\u006dodel":"cl\\u0061ude-sonnet-5","a":"\\/\\u0041\\u00e9"}',
  'a byte order mark': '\uFEFF{"model":"claude-sonnet-5"}',
  'numbers that no double holds':
    '{"model":"claude-sonnet-5","max_tokens":1e400,"n":12345678901234567890123,"f":1.0,"z":-0,"e":1E+2}',
  'white space everywhere': ' \r\n\t{ "model"\n:\t"claude-sonnet-5" ,\r\n"messages" : [ ] }\n\n ',
  'text outside the basic plane, NUL escapes and U+2028':
    '{"model":"claude-sonnet-5","a":"😀\u2028\\u0000\u007f\u0080é"}',
  'the key __proto__': '{"__proto__":{"model":"x"},"constructor":{},"model":"claude-sonnet-5"}',
  'no model': '{"messages":[],"stream":true}',
  'a model nobody knows': '{"model":"gpt-17-ultra","messages":[]}',
  'a model that is not text': '{"model":{"deep":["x"]},"messages":7}',
  'a tool with a broken schema':
    '{"model":"claude-sonnet-5","tools":[{"name":1,"input_schema":{"$ref":"#/self","type":["?"]}}]}',
  'five cache markers': `{"model":"claude-sonnet-5","system":[${Array(5).fill('{"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"1h"}}').join(',')}]}`,
  'an empty object': '{}',
  '1 MiB of text': JSON.stringify({
    model: 'claude-sonnet-5',
    messages: [{ role: 'user', content: 'ü'.repeat(512 * 1024) }],
  }),
};

/** Relayed unread, with its content-encoding. */
export const COMPRESSED_BODY = gzipSync('{"model":"claude-sonnet-5","stream":false}');
