import { describe, expect, it } from 'vitest';
import { substitute } from '../../src/config/environment-references.ts';
import { accept, MANAGED, parse, refuse, sha256Hex, tenantWith } from './parsing.ts';

describe('a reference', () => {
  it('may be part of a value, and may stand beside another', () => {
    const text = 'upstreams: [{ id: a, baseUrl: "https://${NAME}.test:${PORT_OF_A}/x" }]';
    const { config } = accept(text, { NAME: 'host', PORT_OF_A: '444' });
    expect(config.upstreams[0]?.baseUrl).toBe('https://host.test:444/x');
  });

  it('needs no quotes inside braces, where YAML alone would see a mapping', () => {
    const { secrets } = accept('console: { token: ${TOKEN}, enabled: false }', { TOKEN: 'open-sesame' });
    expect(secrets.consoleToken).toBe('open-sesame');
  });

  it('works in single quotes, double quotes and block text', () => {
    for (const value of ["'${KEY}'", '"${KEY}"', '>-\n    ${KEY}']) {
      const { secrets } = accept(`upstreams:\n- id: a\n  apiKey: ${value}\n`, { KEY: 'the-key' });
      expect(secrets.upstreamKeys.get('a')).toBe('the-key');
    }
  });

  it('gives numbers and truth values their type back', () => {
    const text = 'listen: { port: ${P} }\ncache: { singleFlight: ${S} }';
    const { config } = accept(text, { P: '9', S: 'false' });
    expect([config.listen.port, config.cache.singleFlight]).toEqual([9, false]);
  });

  it('cannot change the structure, whatever the variable holds', () => {
    const key = '"},{x:#*&!|>%@`]';
    const { secrets, config } = accept('upstreams: [{ id: a, apiKey: ${KEY} }]', { KEY: key });
    expect(secrets.upstreamKeys.get('a')).toBe(key);
    expect(config.upstreams).toHaveLength(1);
  });

  it('inside the value of a variable is left as it is', () => {
    const { secrets } = accept('upstreams: [{ id: a, apiKey: ${KEY} }]', { KEY: 'x${HOME}$${y}' });
    expect(secrets.upstreamKeys.get('a')).toBe('x${HOME}$${y}');
  });

  it('in a comment asks for nothing', () => {
    expect(accept('# ${NOT_SET}\nlisten: {} # ${NOT_SET}\n').config.listen.port).toBe(8787);
  });

  it('with a second dollar before it is the text itself', () => {
    const text = MANAGED.replace('key-of-acme', () => 'key-$${NOT_SET}');
    expect(accept(text).config.tenants[0]?.keyDigests).toEqual([sha256Hex('gateway-key-${NOT_SET}')]);
  });

  it('to a variable that is not set is a problem that names it, once', () => {
    expect(refuse('listen:\n  port: ${NO_SUCH_PORT}\n')).toEqual([
      {
        path: 'listen.port',
        line: 2,
        message: 'this setting refers to ${NO_SUCH_PORT}, which is not set in the environment',
        mend: 'set NO_SUCH_PORT, or write $${ if the text is meant as it is',
      },
    ]);
  });

  it('names every variable that is missing in one value', () => {
    const problems = refuse('upstreams: [{ id: a, apiKey: "${ONE}-${TWO}" }]');
    expect(problems.map(({ message }) => /\$\{(\w+)\}/.exec(message)?.[1])).toEqual(['ONE', 'TWO']);
  });

  it('two tenants with unset keys are not said to have the same key', () => {
    const text = tenantWith('upstreams: [main]').replace('gateway-key-of-acme', '"${UNSET}", "${UNSET}"');
    expect(refuse(text).map(({ path }) => path)).toEqual(['tenants[0].keys[0]', 'tenants[0].keys[1]']);
  });

  it.each(['${}', '${A-B}', '${A:-b}', '${A', '${1A}'])('written as %s is malformed', (reference) => {
    const [problem] = refuse(`upstreams:\n- id: a\n  apiKey: '${reference}'\n`, { A: 'x' });
    expect(problem).toMatchObject({ path: 'upstreams[0].apiKey', line: 3 });
    expect(problem?.mend).toContain('write ${NAME}');
  });

  it('does not find what every object has', () => {
    expect(parse('upstreams: [{ id: a, apiKey: "${constructor}" }]').kind).toBe('invalid');
  });
});

it('only a value that came out of the environment is marked as such', () => {
  expect(substitute('a$${b}', {})).toEqual({ kind: 'substituted', text: 'a${b}', fromEnvironment: false });
  expect(substitute('a${b}', { b: 'c' })).toEqual({ kind: 'substituted', text: 'ac', fromEnvironment: true });
});
