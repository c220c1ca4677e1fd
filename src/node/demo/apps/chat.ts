import type { Desk } from '../desk.ts';
import { converse } from './conversation.ts';

const VISITORS = 3;

/** A support chat: a few visitors at once, conversations that grow, no cache_control anywhere. */
export async function chat(desk: Desk): Promise<void> {
  const base = { model: 'claude-sonnet-5', max_tokens: 600, system: desk.writer(0).text(1_500) };
  const rules = { base, turns: 10, questionTokens: [20, 120], pauseMs: [400, 1_600] } as const;
  await Promise.all(Array.from({ length: VISITORS }, (_, visitor) => converse(desk, desk.writer(visitor + 1), rules)));
}
