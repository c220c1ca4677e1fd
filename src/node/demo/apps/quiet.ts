import type { Desk } from '../desk.ts';
import { converse } from './conversation.ts';

/** Somebody who asks every 20 s, with the API's automatic caching: the marker moves along with the conversation. */
export async function quiet(desk: Desk): Promise<void> {
  const base = {
    model: 'claude-opus-4-8',
    max_tokens: 600,
    cache_control: { type: 'ephemeral' },
    system: desk.writer(0).text(2_500),
  } as const;
  await converse(desk, desk.writer(1), { base, turns: 30, questionTokens: [30, 150], pauseMs: [19_000, 21_000] });
}
