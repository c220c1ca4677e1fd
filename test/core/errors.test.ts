import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { entryOf, ERRORS, messageOf, type ErrorCode, type ErrorEntry } from '../../src/core/errors.ts';

const codes = Object.keys(ERRORS) as ErrorCode[];
const entries = Object.entries(ERRORS) as [ErrorCode, ErrorEntry][];

/** Who may not, not now or not so much, as opposed to bytes that cannot be read. */
const POLICY: readonly ErrorCode[] = [
  'credential_missing',
  'credential_unknown',
  'budget_spent',
  'queue_full',
  'queue_timeout',
  'draining',
];

/** Statuses at which Anthropic's SDKs ask again when no header tells them what to do. */
const SDK_RETRIES = (status: number): boolean => [408, 409, 429].includes(status) || status >= 500;

describe('ERRORS', () => {
  it('has no policy refusal that is a 400: Claude Code would answer it with up to six requests', () => {
    expect(POLICY.filter((code) => entryOf({ code }).status === 400)).toEqual([]);
  });

  it('uses 400 only for bytes that no upstream could read', () => {
    const codes400 = entries.filter(([, { status }]) => status === 400).map(([code]) => code);
    expect(codes400).toEqual(['bad_http', 'body_not_utf8', 'body_not_json', 'body_not_object', 'stream_not_boolean']);
  });

  it('says to ask again where SDKs would anyway, but for a redirect and a refused key, which stay what they are', () => {
    const different = entries.filter(([, { status, retry }]) => retry !== SDK_RETRIES(status)).map(([code]) => code);
    expect(different).toEqual(['upstream_redirected', 'upstream_credential_refused']);
  });

  it('blames the upstream for what its name says, the caller for other 4xx, itself for the rest', () => {
    const blamed = (code: string, status: number) => {
      if (code.startsWith('upstream_') && code !== 'upstream_credential_refused') return 'upstream';
      return status < 500 ? 'caller' : 'gateway';
    };
    expect(entries.filter(([code, { status, fault }]) => fault !== blamed(code, status))).toEqual([]);
  });

  it('uses only types that Anthropic has, each with the status Anthropic gives it where it gives one', () => {
    const statuses: Record<string, readonly number[]> = {
      invalid_request_error: [400, 405, 415, 431],
      authentication_error: [401],
      billing_error: [402],
      not_found_error: [404],
      timeout_error: [408, 504],
      request_too_large: [413],
      rate_limit_error: [429],
      api_error: [500, 502],
      overloaded_error: [503],
    };
    expect(entries.filter(([, { type, status }]) => !statuses[type]?.includes(status))).toEqual([]);
  });
});

describe('messageOf', () => {
  it('is the catalogue’s sentence, with the detail behind it', () => {
    expect(messageOf({ code: 'queue_full' })).toBe(ERRORS.queue_full.message);
    expect(messageOf({ code: 'body_too_large', detail: 'The limit is 5 bytes.' })).toBe(
      'The request body is too large. The limit is 5 bytes.',
    );
  });
});

describe('docs/errors.md', () => {
  const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `(\w+)` .*\|$/gm)].map(([line]) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

  it('lists exactly the codes of the catalogue, in its order', () => {
    expect(rows.map(([code]) => code)).toEqual(codes.map((code) => `\`${code}\``));
  });

  it.each(entries)('says of %s what the catalogue says, and what to do', (code, entry) => {
    const [, status, type, again, fault, message, advice] = rows.find(([name]) => name === `\`${code}\``) ?? [];
    const { retry } = entry;
    expect({ status, type, again, fault, message }).toEqual({
      status: String(entry.status),
      type: `\`${entry.type}\``,
      again: retry ? 'yes' : 'no',
      fault: entry.fault,
      message: entry.message,
    });
    expect(advice).toMatch(/.{20}\.$/);
  });
});
