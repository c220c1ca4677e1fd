import { describe, expect, it } from 'vitest';
import { renderProblems } from '../../src/config/render-problems.ts';
import { refuse, tenantWith } from './parsing.ts';
import { PROBLEM_CASES } from './problem-cases.ts';

describe('a single problem is found with its path, line and mend', () => {
  it.each(PROBLEM_CASES)('$what', ({ text, environment, path, line, says, mend }) => {
    const problems = refuse(text, environment);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ path, line });
    expect(problems[0]?.message).toContain(says);
    expect(problems[0]?.mend).toContain(mend);
    expect(JSON.stringify(problems)).not.toMatch(/hidden|key-of-|1234567890/);
  });
});

const MANY = `listn: {}
upstreams:
  - id: main
    apiKey: \${NOT_SET}
  - id: main
    apiKey: some-upstream-key
    baseUrl: ftp://a.test
tenants:
  - id: acme
    keys: []
    queue: { timeout: 30 }
  - id: acme
    keys: [gateway-key-number-one]
    upstreams: [other]
state: disk
limits: { drain: 1s, drain: 2s }
`;

describe('all problems at once', () => {
  it('of values, references, relations, YAML and environment, in the order of the file', () => {
    const problems = refuse(MANY, { PORT: 'x' });
    expect(problems.map(({ path, line }) => [path, line])).toEqual([
      ['listn', 1],
      ['upstreams[0].apiKey', 4],
      ['upstreams[1].id', 5],
      ['upstreams[1].baseUrl', 7],
      ['tenants[0].keys', 10],
      ['tenants[0].queue.timeout', 11],
      ['tenants[1].id', 12],
      ['tenants[1].upstreams[0]', 14],
      ['state', 15],
      ['', 16],
      ['listen.port', undefined],
    ]);
  });

  it('two places where YAML loses its way are two problems', () => {
    expect(refuse('a: b: c\nd: "x\\q"\n').map(({ line }) => line)).toEqual([1, 2]);
  });

  it('an alias without anchor and a circle of aliases are refused, not followed', () => {
    expect(refuse('state: *nowhere')).toHaveLength(1);
    expect(refuse('tenants: &a [*a]').length).toBeGreaterThan(0);
  });
});

describe('what is never quoted', () => {
  const secret = 'sk-ant-api03-something';
  it.each([
    ['a credential from the environment in the wrong place', tenantWith('cache: ${KEY}')],
    ['a credential typed in the wrong place', tenantWith(`cache: ${secret}`)],
    ['a credential as the name of an upstream', tenantWith('upstreams: ["${KEY}"]')],
    ['a credential as a key of a mapping', `limits: { ${secret}: acme }`],
    ['a reference below a credential', `limits: { ${secret}: "\${NOT_SET}" }`],
    ['a credential as an alias', `state: *${secret}`],
    ['a credential as a tag', `state: !${secret} memory`],
    ['a credential as a duration', 'limits: { drain: ${KEY} }'],
  ])('%s', (_, text) => {
    const problems = refuse(text, { KEY: secret });
    expect(problems.length).toBeGreaterThan(0);
    expect(JSON.stringify(problems)).not.toContain('sk-ant');
  });

  it('a sign that would steer the terminal', () => {
    const rendered = renderProblems(refuse('"\\e[2Jx": 1\nlisten: { host: "\\e[2J" }'));
    expect(rendered.replaceAll('\n', '')).toMatch(/^\P{C}*$/u);
  });
});

describe('rendered for a terminal', () => {
  it('a problem is its place and message, and below it the mend', () => {
    expect(renderProblems(refuse('\nlisten: { port: x }\n', { PORT: '-' }))).toBe(
      `listen.port (line 2): "x" is not a whole number
    write a whole number from 0 to 65535
listen.port: this setting is set by the environment variable PORT, which is not a whole number
    unset PORT, or: write a whole number from 0 to 65535`,
    );
  });

  it('a problem of the file as a whole begins with its line', () => {
    expect(renderProblems([{ path: '', line: 3, message: 'm', mend: 'n' }])).toBe('(line 3): m\n    n');
    expect(renderProblems([{ path: '', message: 'm', mend: 'n' }])).toBe('m\n    n');
    expect(renderProblems([])).toBe('');
  });
});
