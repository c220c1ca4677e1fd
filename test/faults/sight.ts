import { expect } from 'vitest';
import { eventually } from '../support/eventually.ts';
import type { RawClient } from '../support/raw-client.ts';

/** What a caller has seen when all is over: one answer, or nothing. */
export interface Sight {
  readonly status: number | 'none';
  readonly ending: 'whole' | 'cut';
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly trailers: Readonly<Record<string, string>>;
}

const NOTHING_SEEN: Sight = { status: 'none', ending: 'cut', text: '', headers: {}, trailers: {} };

/** Waits until it is over, and that nothing comes behind it. */
export async function sightOf(client: RawClient, deadlineMs: number): Promise<Sight> {
  await eventually('an answer ends', deadlineMs, () => client.peek().isWhole || client.ending !== 'open');
  if (client.peek().head === null) {
    expect(client.received.toString('latin1')).toBe('');
    return NOTHING_SEEN;
  }
  const { status, ending, text, headers, trailers } = await client.response();
  expect(client.received.toString('latin1'), 'nothing comes behind the answer').toBe('');
  return { status, ending, text, headers, trailers };
}

/** What of an answer is the gateway's and not an upstream's: a refusal, or the frame that ends a stream. */
export function ownText({ headers, text }: Sight): string {
  if (headers['x-slipstream-cache'] === undefined) return text;
  return text
    .split('\n\n')
    .filter((frame) => frame.includes('"request_id":"slip_'))
    .join();
}
