import { expect } from 'vitest';
import type { RawClient } from '../support/raw-client.ts';

/** The gateway's own refusal, whole, on a connection that can be used again. */
export async function expectBrokenOff(client: RawClient): Promise<void> {
  const response = await client.response();
  expect(response).toMatchObject({ status: 502, ending: 'whole' });
  expect(response.headers['content-type']).toMatch(/^application\/json/);
  expect(response.headers['x-should-retry']).toBe('true');
  const error = { type: 'api_error', message: expect.stringContaining('broke off') as string };
  expect(response.json()).toMatchObject({ type: 'error', error, request_id: response.headers['x-slipstream-id'] });
  expect(client.ending).toBe('open');
}
