import type { Ttl } from '../../core/scanned-prompt.ts';
import { positionKey, saltOf, type PlacementIndex } from './placement-index.ts';
import { touchSlot } from './position-table.ts';
import { TTL_MS, type PromptView } from '../prompt-view.ts';

/**
 * Another process wrote this prefix of the prompt, with a request sent at `sentMs`, and it can be read: here it was never
 * seen, so it stands on nothing that is known, and what traffic teaches about it begins with this request.
 */
export function noteWritten(
  { positions: table }: PlacementIndex,
  view: PromptView,
  depth: number,
  ttl: Ttl,
  sentMs: number,
): void {
  const hash = view.hashes[depth - 1];
  if (hash === undefined) return;
  // From the deepest position up, so that the table forgets what extends a prefix before the prefix.
  const salt = saltOf(view.key);
  const slot = touchSlot(table, positionKey(hash, salt));
  for (let at = depth - 2; at >= 0; at--) touchSlot(table, positionKey(view.hashes[at] ?? 0, salt));
  const untilMs = sentMs + TTL_MS[ttl];
  if ((table.untilMs[slot] ?? 0) >= untilMs && table.baseDepth[slot] === 0) return;
  table.baseDepth[slot] = 0;
  for (const until of [table.untilMs, table.prolongedUntilMs]) until[slot] = untilMs;
  for (const hour of [table.hour, table.prolongedHour]) hour[slot] = Number(ttl === '1h');
}
