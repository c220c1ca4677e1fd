import Anthropic from '@anthropic-ai/sdk';
import { beforeAll, describe, expect, test } from 'vitest';
import { ACME_KEY, managed } from '../support/gateway-under-test.ts';
import { useSimulatorStage, type SimulatorStage } from '../support/simulator-stage.ts';
import { parseEvents } from '../simulator/session.ts';
import { hasRecordedBodies, recordedRequests, type RecordedRequest } from './recorded-bodies.ts';

/** Three recorded conversations of an airline's agent, with its policy and tools, request after request. */
const start = useSimulatorStage();
const SESSIONS = 3;
const SETTINGS = managed('cache: off'); // what a caller wrote then stays as it is

describe.skipIf(!hasRecordedBodies('the recorded conversations of an airline’s agent'))(
  'recorded conversations',
  () => {
    let requests: RecordedRequest[] = [];
    beforeAll(async () => {
      requests = await recordedRequests(SESSIONS);
    });

    /** The body that the upstream got last, as text. */
    function received(stage: SimulatorStage): string {
      return Buffer.from(stage.newest().body).toString();
    }

    test('their bytes reach the upstream as they are, and every answer of the SDK is whole', async () => {
      const stage = await start({ settings: SETTINGS });
      const client = new Anthropic({ baseURL: stage.baseUrl, apiKey: ACME_KEY, maxRetries: 0, logLevel: 'off' });
      for (const { body } of requests) {
        const headers = { 'content-type': 'application/json' };
        const message = await client.post<Anthropic.Message>('/v1/messages', { body: Buffer.from(body), headers });
        expect(received(stage)).toBe(body);
        expect(['end_turn', 'tool_use']).toContain(message.stop_reason);
        expect(message.usage.output_tokens).toBe(stage.newest().usage?.outputTokens);
      }
      expect(requests.length).toBeGreaterThan(SESSIONS);
      expect(stage.seen.map(({ outcome }) => outcome)).toEqual(requests.map(() => 'complete'));
    });

    test('streamed, they end with message_stop, and the gateway has counted what was billed', async () => {
      const stage = await start({ settings: SETTINGS });
      const url = `${stage.baseUrl}/v1/messages`;
      const headers = { 'x-api-key': ACME_KEY, 'anthropic-version': '2023-06-01', 'content-type': 'application/json' };
      for (const [index, request] of requests.entries()) {
        const body = `{"stream": true, ${request.body.slice(1)}`;
        const response = await fetch(url, { method: 'POST', headers, body });
        expect(parseEvents(await response.text()).at(-1)?.name).toBe('message_stop');
        expect(received(stage)).toBe(body);
        const { uncachedTokens, outputTokens } = stage.newest().usage ?? {};
        const { end, usage } = await stage.record(index);
        expect([end, usage?.uncachedInput, usage?.output]).toEqual(['complete', uncachedTokens, outputTokens]);
      }
    });

    test('side by side, each conversation gets its own answers', async () => {
      const stage = await start({ settings: managed('cache: off, maxConcurrency: 2') });
      const client = new Anthropic({ baseURL: stage.baseUrl, apiKey: ACME_KEY, maxRetries: 0, logLevel: 'off' });
      const ask = async ({ body }: RecordedRequest) => {
        const headers = { 'content-type': 'application/json' };
        return (await client.post<Anthropic.Message>('/v1/messages', { body: Buffer.from(body), headers })).content;
      };
      const alone: unknown[] = [];
      for (const request of requests) alone.push(await ask(request));
      expect(await Promise.all(requests.map(ask))).toEqual(alone);
    });
  },
);
