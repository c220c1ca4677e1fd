import { beforeEach, describe, expect, it } from 'vitest';
import { createKinship, type HeadKeys, type Kinship } from '../../src/prompt/kinship.ts';
import { prefixOfBody, text, user } from './prefixes.ts';

const KEYS: HeadKeys = { domain: 'main', model: 'claude-opus-5', params: 1 };
const BODY = {
  tools: [{ name: 'read', input_schema: {} }],
  system: [text('one'), text('two')],
  messages: [user('Hi')],
};

let kinship: Kinship;
beforeEach(() => {
  kinship = createKinship();
  kinship.record(prefixOfBody(BODY), KEYS);
});

const elsewhere = (body: object, keys: Partial<HeadKeys> = {}) =>
  kinship.elsewhere(prefixOfBody(body), { ...KEYS, ...keys });

describe('the closest relative of a head', () => {
  it.each([
    ['the very same', BODY, {}, null],
    ['the same under another question', { ...BODY, messages: [user('Why?')] }, {}, null],
    ['the same with another model', BODY, { model: 'claude-sonnet-5' }, 'model'],
    ['the same with other parameters', BODY, { params: 2 }, 'params'],
    ['the same in another domain', BODY, { domain: 'other' }, 'domain'],
    ['the same with another model in another domain', BODY, { domain: 'other', model: 'claude-sonnet-5' }, 'domain'],
    ['another first tool', { ...BODY, tools: [{ name: 'write', input_schema: {} }] }, {}, 'first'],
    [
      'another first tool with another model',
      { ...BODY, tools: [{ name: 'write', input_schema: {} }] },
      { model: 'x' },
      null,
    ],
    ['another last block', { ...BODY, system: [text('one'), text('three')] }, {}, null],
    ['something else', { system: 'x', messages: [user('y')] }, {}, null],
  ])('%s: %4$s', (_what, body, keys, relation) => {
    expect(elsewhere(body, keys)).toBe(relation);
  });

  it('differs in least: of a head used with two models in one domain, parameters of the one that is asked for', () => {
    kinship.record(prefixOfBody(BODY), { ...KEYS, model: 'claude-sonnet-5', params: 7 });
    expect(elsewhere(BODY, { params: 3 })).toBe('params');
    expect(elsewhere(BODY, { model: 'claude-sonnet-5', params: 7 })).toBeNull();
    expect(elsewhere(BODY, { model: 'claude-haiku-5-5' })).toBe('model');
  });

  it('of a prompt without tools and system is that of its first messages', () => {
    const chat = (first: string) => ({
      messages: [user(first), { role: 'assistant', content: 'Well.' }, user('And?')],
    });
    kinship.record(prefixOfBody(chat('Hello')), KEYS);
    expect(elsewhere(chat('Hello'), { params: 9 })).toBe('params');
    expect(elsewhere(chat('Good day'))).toBe('first');
  });

  it('is forgotten when thousands came after it', () => {
    for (let at = 0; at < 9_000; at++)
      kinship.record(prefixOfBody({ system: `${at}`, messages: [user(`${at}`)] }), KEYS);
    expect(elsewhere(BODY, { model: 'claude-sonnet-5' })).toBeNull();
  });
});
