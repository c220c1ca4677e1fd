import { expect } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { ACME_KEY, UPSTREAM_KEY } from '../support/gateway-under-test.ts';
import type { RawClient } from '../support/raw-client.ts';
import { ANSWER_WORD, ERROR_WORD, PROMPT_WORD } from './answers.ts';
import type { FaultStage } from './fault-stage.ts';

/** What must be true behind every case, whatever it was. */

const GUARD_DEADLINE_MS = 5_000;

/** What is over has cancelled its timers: one that is left must be seen before it fires by itself. */
const TIMERS_DEADLINE_MS = 500;

const guard = (label: string, isSo: () => boolean | Promise<boolean>, deadlineMs = GUARD_DEADLINE_MS): Promise<void> =>
  eventually(`guard: ${label}`, deadlineMs, isSo);

/** Nothing is held, nobody waits, nothing runs, and each request was counted and recorded once. */
export async function nothingLeft(stage: FaultStage, internalErrors: readonly unknown[]): Promise<void> {
  const { gateway, upstream, other, clock, expected, records, metrics } = stage;
  const gauge = async (name: 'slipstream_slots_in_use' | 'slipstream_queue_depth' | 'slipstream_open_streams') =>
    (await metrics()).sum(name);
  await guard(
    'every slot of tenants and upstreams is free',
    async () => (await gauge('slipstream_slots_in_use')) === 0,
  );
  await guard('nobody waits', async () => (await gauge('slipstream_queue_depth')) === 0);
  await guard('no exchange is open', () => gateway.openExchanges === 0);
  await guard('the console lists none', () => gateway.liveExchanges === 0);
  await guard('no stream is open', async () => (await gauge('slipstream_open_streams')) === 0);
  await guard('no call is open at an upstream', () => upstream.openAttempts + other.openAttempts === 0);
  await guard('no timer is set', () => clock.pending === 0, TIMERS_DEADLINE_MS);
  await guard(`${expected.requests} requests are counted`, async () => {
    return (await metrics()).sum('slipstream_requests_total') >= expected.requests;
  });
  expect((await metrics()).sum('slipstream_requests_total')).toBe(expected.requests);
  expect(records).toHaveLength(expected.records);
  expect(new Set(records.map(({ id }) => id)).size).toBe(records.length);
  expect(internalErrors).toEqual([]);
}

const PLANTED = [PROMPT_WORD, ANSWER_WORD, ERROR_WORD, ACME_KEY, UPSTREAM_KEY];

/** What the gateway says of itself holds nothing of a prompt, an answer, an upstream's words or a key. */
export function expectNothingPlanted(texts: readonly string[]): void {
  for (const text of texts) expect(PLANTED.filter((word) => text.includes(word))).toEqual([]);
}

/** Whose outcome has been seen has had no second one since. */
export function expectNothingBehind(seen: ReadonlySet<RawClient>): void {
  for (const client of seen) expect(client.received.toString('latin1')).toBe('');
}

/** With its clients gone and itself closed, the gateway has let go of every connection, on both sides. */
export async function noConnectionLeft(stage: FaultStage, cutConnections: number): Promise<void> {
  expect(cutConnections, 'connections of clients who are gone').toBe(0);
  const { upstream, other } = stage;
  await guard('no connection to an upstream is open', () => upstream.openConnections + other.openConnections === 0);
}
