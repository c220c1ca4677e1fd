import { afterEach, describe, expect, it, vi } from 'vitest';
import type { HeaderMap } from '../../src/core/headers.ts';
import type { UpstreamCall, UpstreamEnd } from '../../src/pipeline/upstream.ts';
import { createClaudeUpstream } from '../../src/upstream/claude-upstream.ts';
import { createFakeClock } from '../support/fake-clock.ts';

afterEach(() => vi.unstubAllEnvs());

/** One call for messages: how it ended, and with which headers it went out. */
async function callOnce(
  apiKey: string | null,
  headers: Readonly<Record<string, string>>,
): Promise<{ end: UpstreamEnd; sent: HeaderMap[] }> {
  const sent: HeaderMap[] = [];
  const upstream = createClaudeUpstream({
    id: 'main',
    baseUrl: 'http://upstream.test',
    apiKey,
    clock: createFakeClock(),
    transport: {
      async send({ headers }, receiver) {
        sent.push(headers);
        receiver.head({ status: 200, headers: {} }, { resume() {} });
        return { kind: 'ended' };
      },
      close: async () => {},
    },
  });
  const call: UpstreamCall = {
    method: 'POST',
    target: '/v1/messages?beta=true',
    headers,
    body: new Uint8Array(2),
    signal: new AbortController().signal,
  };
  return { end: await upstream.send(call, { head() {}, chunk: () => true }), sent };
}

describe('a call goes out', () => {
  it('with the key of the settings, and nothing else of what the SDK would add', async () => {
    const { end, sent } = await callOnce('key-of-the-settings', { accept: 'text/event-stream' });
    expect(end).toEqual({ kind: 'ended' });
    expect(sent).toEqual([{ accept: 'text/event-stream', authorization: 'Bearer key-of-the-settings' }]);
  });

  it('with the caller’s own key alone where there is none, whatever the operator’s environment has for the SDK', async () => {
    const identity = ['IDENTITY_TOKEN', 'FEDERATION_RULE_ID', 'ORGANIZATION_ID', 'SERVICE_ACCOUNT_ID'];
    for (const name of [...identity, 'API_KEY', 'AUTH_TOKEN']) vi.stubEnv(`ANTHROPIC_${name}`, 'of the operator');
    const { end, sent } = await callOnce(null, { 'x-api-key': 'key-of-the-caller' });
    expect(end).toEqual({ kind: 'ended' });
    expect(sent).toEqual([{ 'x-api-key': 'key-of-the-caller' }]);
  });
});
