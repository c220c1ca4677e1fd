import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listSettings } from '../../src/config/setting-list.ts';
import { parse } from './parsing.ts';

const WORDS = [...new Set(listSettings().flatMap(({ path }) => path.split(/[.[\]]+/)))].filter((word) => word !== '');
const YAML_PIECES = [
  '\n',
  '\n  ',
  '\n  - ',
  ': ',
  ', ',
  '{',
  '}',
  '[',
  ']',
  '"',
  "'",
  '&a ',
  '*a',
  '<<: ',
  '!x ',
  '|\n',
  '# ',
  '---\n',
  '\t',
  '%',
];
const VALUES = [
  '${KEY}',
  '${NOPE}',
  '$${',
  '${',
  '\uFDD0',
  '30s',
  '32MiB',
  '1',
  '-1',
  '.inf',
  'null',
  '~',
  'true',
  'auto',
  '__proto__',
  '\u0000',
];

/** Fragments of settings in any order: closer to a settings file than noise is. */
const almostYaml = fc
  .array(fc.constantFrom(...WORDS, ...YAML_PIECES, ...VALUES), { maxLength: 60 })
  .map((parts) => parts.join(''));

/** Any value below any key of the schema, written as JSON, which is YAML. */
const almostSettings = fc
  .dictionary(fc.constantFrom('listen', 'upstreams', 'tenants', 'cache', 'state', 'console', 'limits'), fc.jsonValue())
  .map((value) => JSON.stringify(value));

const tenantLike = fc
  .array(fc.dictionary(fc.constantFrom(...WORDS), fc.jsonValue({ maxDepth: 2 })), { maxLength: 4 })
  .map((entries) => JSON.stringify({ tenants: entries, upstreams: entries }));

const environment = fc.dictionary(fc.constantFrom('KEY', 'HOST', 'PORT'), fc.string());

describe('any text whatever gives a result', () => {
  it.each([
    ['noise', fc.string({ unit: 'binary', maxLength: 200 })],
    ['pieces of YAML', almostYaml],
    ['JSON below the known keys', almostSettings],
    ['lists of tenants that are none', tenantLike],
  ])('%s', (_, text) => {
    fc.assert(
      fc.property(text, environment, (settings, variables) => {
        const result = parse(settings, variables);
        if (result.kind === 'ok') return result.config.upstreams.length > 0;
        return (
          result.problems.length > 0 && result.problems.every(({ message, mend }) => message !== '' && mend !== '')
        );
      }),
      { numRuns: 400 },
    );
  });

  it('brackets beyond the depth of the stack', () => {
    expect(parse('['.repeat(20_000)).kind).toBe('invalid');
    expect(parse('- '.repeat(5000)).kind).toBe('invalid');
  });

  it('aliases that would unfold to a million values', () => {
    const row = (name: string, of: string) => `${name}: &${name} [${Array(10).fill(of).join(', ')}]\n`;
    const text = row('a', 'x') + row('b', '*a') + row('c', '*b') + row('d', '*c') + row('e', '*d') + row('f', '*e');
    expect(parse(text).kind).toBe('invalid');
  });
});

describe('whatever the secrets are', () => {
  it('no problem and no notice holds one', () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9]{12,40}$/);
    const place = fc.constantFrom(
      'listen: { host: "${KEY}" }',
      'listen: { port: "${KEY}" }',
      'state: "${KEY}"',
      'console: { enabled: true, token: "${KEY}" }',
      'upstreams: [{ id: "${KEY} ", apiKey: "${KEY}" }]',
      'upstreams: [{ id: a, protocol: "${KEY}", apiKey: "${KEY}", baseUrl: "${KEY}" }]',
      'tenants: [{ id: a, keys: ["${KEY}", "${KEY}"], upstreams: ["${KEY}"] }]',
      'limits: { drain: "${KEY}", bodyBytes: "${KEY}" }',
    );
    fc.assert(
      fc.property(secret, place, (KEY, text) => {
        const result = parse(text, { KEY });
        const said = JSON.stringify(result.kind === 'ok' ? result.notices : result.problems);
        return !said.includes(KEY);
      }),
      { numRuns: 200 },
    );
  });
});
