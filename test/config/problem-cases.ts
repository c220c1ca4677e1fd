import type { Environment } from '../../src/config/config.ts';
import { MANAGED, tenantWith } from './parsing.ts';

export interface Case {
  readonly what: string;
  readonly text: string;
  readonly environment?: Environment;
  readonly path: string;
  readonly line: number;
  readonly says: string;
  readonly mend: string;
}

const upstreamWith = (line: string): string => `upstreams:\n  - id: main\n    ${line}\n`;
const SECOND_TENANT = '  - id: globex\n    keys: [gateway-key-of-globex]\n';

/** Each has one thing wrong with it. A row of the table stays on one line. */
// prettier-ignore
export const PROBLEM_CASES: readonly Case[] = [
  // Keys that are not known
  { what: 'a misspelt section', text: 'listn: {}', path: 'listn', line: 1, says: 'not known', mend: 'mean listen?' },
  { what: 'a misspelt key', text: 'listen:\n  prot: 1', path: 'listen.prot', line: 2, says: 'not known', mend: 'mean port?' },
  { what: 'a key with underscores', text: tenantWith('max_concurrency: 1'), path: 'tenants[0].max_concurrency', line: 7, says: 'not known', mend: 'mean maxConcurrency?' },
  { what: 'a key of another section', text: 'drain: 1s', path: 'drain', line: 1, says: 'not known', mend: 'mean limits.drain?' },
  { what: 'a key like nothing', text: 'limits: { zzzzzz: 1 }', path: 'limits.zzzzzz', line: 1, says: 'not known', mend: 'known here: bodyBytes, headersTimeout, retries, streamIdle, drain, drainNotice, hangUpDrain' },
  { what: '__proto__', text: '__proto__: {}', path: '__proto__', line: 1, says: 'not known', mend: 'remove it' },
  // Shapes and types
  { what: 'a list for a file', text: '- a', path: '', line: 1, says: 'the file is not a mapping', mend: 'name: value' },
  { what: 'a mapping for a list', text: 'tenants: { acme: {} }', path: 'tenants', line: 1, says: 'not a list', mend: 'dash' },
  { what: 'a word for a mapping', text: 'listen: here', path: 'listen', line: 1, says: 'not a mapping', mend: 'name: value' },
  { what: 'nothing for tenants', text: '\ntenants:\n', path: 'tenants', line: 2, says: 'is empty', mend: 'remove the line' },
  { what: 'nothing for a value', text: 'listen:\n  host:\n', path: 'listen.host', line: 2, says: 'is empty', mend: 'remove the line' },
  { what: 'an upstream without id', text: 'upstreams:\n  - baseUrl: http://a.test', path: 'upstreams[0].id', line: 2, says: 'is missing', mend: 'add it' },
  { what: 'a tenant without keys', text: MANAGED.replace(/ {4}keys.*\n/, ''), path: 'tenants[0].keys', line: 5, says: 'is missing', mend: 'add a list' },
  { what: 'a number for an id', text: 'upstreams: [{ id: 7 }]', path: 'upstreams[0].id', line: 1, says: '7 is not text', mend: 'in quotes' },
  { what: 'a space in an id', text: 'upstreams: [{ id: a b }]', path: 'upstreams[0].id', line: 1, says: '"a b" is not a name', mend: 'letters' },
  { what: 'a number for a key', text: MANAGED.replace('gateway-key-of-acme', '12345678901234567890'), path: 'tenants[0].keys[0]', line: 6, says: 'is not text', mend: 'quotes' },
  { what: 'a word for a truth value', text: 'cache: { singleFlight: yes }', path: 'cache.singleFlight', line: 1, says: '"yes" is neither', mend: 'true or false' },
  { what: 'a word for a count', text: tenantWith('maxConcurrency: many'), path: 'tenants[0].maxConcurrency', line: 7, says: '"many" is not a whole number', mend: 'whole number from 1' },
  { what: 'a count of nobody', text: tenantWith('maxConcurrency: 0'), path: 'tenants[0].maxConcurrency', line: 7, says: '0 is out of range', mend: 'from 1' },
  { what: 'half a place in the queue', text: tenantWith('queue: { max: 1.5 }'), path: 'tenants[0].queue.max', line: 7, says: '1.5 is not a whole number', mend: 'from 0' },
  { what: 'a negative weight', text: tenantWith('weight: -1'), path: 'tenants[0].weight', line: 7, says: '-1 is out of range', mend: 'above 0' },
  { what: 'a misspelt choice', text: tenantWith('cache: obsreve'), path: 'tenants[0].cache', line: 7, says: '"obsreve" is not one of', mend: 'mean observe?' },
  { what: 'a hang-up policy that is none', text: tenantWith('hangUp: ignore'), path: 'tenants[0].hangUp', line: 7, says: '"ignore" is not one of', mend: 'cancel, drain' },
  { what: 'a recovery that is a truth value', text: tenantWith('recover: true'), path: 'tenants[0].recover', line: 7, says: 'is not one of', mend: 'off, continue' },
  { what: 'a ttl Claude does not have', text: 'cache: { ttl: 2h }', path: 'cache.ttl', line: 1, says: '"2h" is not one of', mend: 'auto, 5m, 1h' },
  { what: 'a truth value for what may be learned', text: 'cache: { prolong: true }', path: 'cache.prolong', line: 1, says: 'is not one of', mend: 'learn, yes, no' },
  { what: 'a reuse that is no number', text: 'cache: { minReuse: often }', path: 'cache.minReuse', line: 1, says: '"often" is not a number', mend: 'auto, or a number above 0' },
  { what: 'a budget without period', text: tenantWith('budget: { usd: 5 }'), path: 'tenants[0].budget.per', line: 7, says: 'is missing', mend: 'add it' },
  { what: 'a budget per week', text: tenantWith('budget: { usd: 5, per: week }'), path: 'tenants[0].budget.per', line: 7, says: '"week"', mend: 'hour, day, month' },
  { what: 'an infinite budget', text: tenantWith('budget: { usd: .inf, per: day }'), path: 'tenants[0].budget.usd', line: 7, says: 'is not a number', mend: 'above 0' },
  // Units
  { what: 'a duration without unit', text: tenantWith('queue: { timeout: 30 }'), path: 'tenants[0].queue.timeout', line: 7, says: '30 has no unit', mend: '500ms, 30s, 5m or 24h' },
  { what: 'a duration with an unknown unit', text: 'limits: { drain: 30sec }', path: 'limits.drain', line: 1, says: '"30sec" has a unit', mend: '30s' },
  { what: 'a notice without unit', text: 'limits: { drainNotice: 5 }', path: 'limits.drainNotice', line: 1, says: '5 has no unit', mend: '30s' },
  { what: 'a size where a duration belongs', text: 'limits: { drain: 3MiB }', path: 'limits.drain', line: 1, says: '"3MiB" has a unit that no duration', mend: '30s' },
  { what: 'a duration of nothing', text: 'limits: { streamIdle: 0s }', path: 'limits.streamIdle', line: 1, says: '"0s" is too short', mend: '1ms or more' },
  { what: 'a duration beyond any timer', text: 'limits: { drain: 600h }', path: 'limits.drain', line: 1, says: 'longer than a timer', mend: '596h or less' },
  { what: 'a negative duration', text: 'limits: { drain: -5s }', path: 'limits.drain', line: 1, says: '"-5s" is not a duration', mend: '30s' },
  { what: 'a size without unit', text: 'limits: { bodyBytes: 33554432 }', path: 'limits.bodyBytes', line: 1, says: '33554432 has no unit', mend: '32MiB' },
  { what: 'a size in small letters', text: 'limits: { bodyBytes: 32mib }', path: 'limits.bodyBytes', line: 1, says: '"32mib" has a unit', mend: '32MiB' },
  { what: 'a size beyond counting', text: 'limits: { bodyBytes: 99999999999GiB }', path: 'limits.bodyBytes', line: 1, says: 'too large', mend: 'smaller' },
  // Addresses
  { what: 'a port out of range', text: 'listen: { port: 65536 }', path: 'listen.port', line: 1, says: '65536 is out of range', mend: '0 to 65535' },
  { what: 'a host with a port', text: 'listen: { host: "127.0.0.1:80" }', path: 'listen.host', line: 1, says: 'brackets or a port', mend: 'listen.port' },
  { what: 'a host in brackets', text: 'listen: { host: "[::1]" }', path: 'listen.host', line: 1, says: 'brackets or a port', mend: 'the host alone' },
  { what: 'a URL for a host', text: 'listen: { host: "http://a" }', path: 'listen.host', line: 1, says: 'is a URL', mend: 'the host alone' },
  { what: 'a base URL without scheme', text: upstreamWith('baseUrl: api.anthropic.com'), path: 'upstreams[0].baseUrl', line: 3, says: 'is not a URL', mend: 'https://' },
  { what: 'a base URL that is a socket', text: upstreamWith('baseUrl: ws://a.test'), path: 'upstreams[0].baseUrl', line: 3, says: 'neither http nor https', mend: 'https://' },
  { what: 'a base URL with /v1', text: upstreamWith('baseUrl: https://a.test/v1/'), path: 'upstreams[0].baseUrl', line: 3, says: 'ends in /v1', mend: 'remove /v1' },
  { what: 'a base URL with a whole path', text: upstreamWith('baseUrl: https://a.test/v1/messages'), path: 'upstreams[0].baseUrl', line: 3, says: 'ends in /v1', mend: 'remove /v1' },
  { what: 'a base URL with a query', text: upstreamWith('baseUrl: https://a.test/?a=b'), path: 'upstreams[0].baseUrl', line: 3, says: 'query', mend: 'before /v1' },
  { what: 'a base URL with a password', text: upstreamWith('baseUrl: https://me:hidden@a.test'), path: 'upstreams[0].baseUrl', line: 3, says: 'credential', mend: 'apiKey' },
  // Credentials
  { what: 'an empty apiKey', text: upstreamWith('apiKey: ${KEY}'), environment: { KEY: '' }, path: 'upstreams[0].apiKey', line: 3, says: 'is empty', mend: 'environment variable' },
  { what: 'a key with a line break', text: upstreamWith('apiKey: ${KEY}'), environment: { KEY: 'hidden\n' }, path: 'upstreams[0].apiKey', line: 3, says: 'line break', mend: 'remove it' },
  { what: 'a digest that is too short', text: MANAGED.replace('gateway-key-of-acme', 'sha256:00ff'), path: 'tenants[0].keys[0]', line: 6, says: 'not a digest', mend: '64 hex digits' },
  { what: 'no key at all', text: MANAGED.replace('gateway-key-of-acme', ''), path: 'tenants[0].keys', line: 6, says: 'has no entry', mend: 'add a key' },
  { what: 'a console without token', text: 'console: { enabled: true }', path: 'console.token', line: 1, says: 'is missing', mend: 'CONSOLE_TOKEN' },
  // Relations
  { what: 'two upstreams with one id', text: 'upstreams:\n  - id: a\n  - id: a\n', path: 'upstreams[1].id', line: 3, says: '"a" is already the id of upstreams[0]', mend: 'its own id' },
  { what: 'two tenants with one id', text: MANAGED + SECOND_TENANT.replace('id: globex', 'id: acme'), path: 'tenants[1].id', line: 7, says: 'already the id of tenants[0]', mend: 'its own id' },
  { what: 'two tenants with one key', text: MANAGED + SECOND_TENANT.replace('of-globex', 'of-acme'), path: 'tenants[1].keys[0]', line: 8, says: 'same key as tenants[0].keys[0]', mend: 'a new key' },
  { what: 'an upstream that is not there', text: tenantWith('upstreams: [main, mian]'), path: 'tenants[0].upstreams[1]', line: 7, says: '"mian" is not the id', mend: 'mean main?' },
  { what: 'a tenant without any upstream', text: tenantWith('upstreams: []'), path: 'tenants[0].upstreams', line: 7, says: 'has no entry', mend: 'remove it' },
  { what: 'tenants and no upstreams', text: 'tenants: [{ id: a, keys: [gateway-key-number-one] }]', path: 'upstreams', line: 1, says: 'has no entry, and tenants', mend: 'add an upstream' },
  { what: 'tenants and an empty list', text: MANAGED.replace(/upstreams:\n.*\n.*\n/, 'upstreams: []\n'), path: 'upstreams', line: 1, says: 'has no entry, and tenants', mend: 'add an upstream' },
  { what: 'an empty list of upstreams', text: 'upstreams: []', path: 'upstreams', line: 1, says: 'has no entry', mend: 'remove it' },
  { what: 'tenants and an upstream without key', text: MANAGED.replace(/ {4}apiKey.*\n/, ''), path: 'upstreams[0].apiKey', line: 2, says: 'is missing', mend: 'add apiKey' },
  // Of a later version
  { what: 'an OpenAI upstream', text: upstreamWith('protocol: openai'), path: 'upstreams[0].protocol', line: 3, says: 'not there yet', mend: 'Anthropic' },
  { what: 'state in Redis without a host', text: 'state: "redis:///0"', path: 'state', line: 1, says: 'nor a Redis URL', mend: 'redis://host:6379' },
  { what: 'a database of a Redis Cluster', text: 'state: "redis+cluster://a:6379,b:6379/3"', path: 'state', line: 1, says: 'names a database', mend: 'remove' },
  { what: 'options of a Redis Cluster', text: 'state: "redis+cluster://a:6379?db=3"', path: 'state', line: 1, says: 'has options', mend: 'remove' },
  { what: 'a login before each node of a Redis Cluster', text: 'state: "redis+cluster://u:p@a:6379,u:p@b:6379"', path: 'state', line: 1, says: 'nor a Redis URL', mend: 'only before the first host' },
  { what: 'a login of Redis that is not encoded', text: 'state: "rediss+cluster://u:100%@a:6379"', path: 'state', line: 1, says: 'cannot be decoded', mend: '%25' },
  { what: 'a database of Redis by name', text: 'state: "redis://a:6379/main"', path: 'state', line: 1, says: 'no number', mend: 'redis://host:6379/0' },
  { what: 'a node of a Redis Cluster without a name', text: 'state: "redis+cluster://a:6379,"', path: 'state', line: 1, says: 'nor a Redis URL', mend: 'redis+cluster://host:6379' },
  { what: 'state nowhere', text: 'state: disk', path: 'state', line: 1, says: 'neither memory', mend: 'write memory' },
  // YAML itself
  { what: 'a bracket left open', text: 'listen: {}\nupstreams: [\n', path: '', line: 3, says: 'does not fit', mend: 'brackets' },
  { what: 'a tab', text: 'listen:\n\tport: 1\n', path: '', line: 2, says: 'tab', mend: 'spaces' },
  { what: 'a second document', text: 'listen: {}\n---\nlisten: {}\n', path: '', line: 2, says: 'second YAML document', mend: '---' },
  { what: 'a tag', text: 'state: !secret memory', path: '', line: 1, says: 'tag', mend: 'quotes' },
  { what: 'a key twice', text: 'state: memory\nstate: memory', path: '', line: 2, says: 'written twice', mend: 'remove one' },
  { what: 'a noncharacter', text: 'state: memory\n# \uFDD0', path: '', line: 2, says: 'U+FDD0', mend: 'remove' },
];
