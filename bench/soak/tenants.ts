// Who takes part in a soak: each tenant is one kind of traffic that has leaked or miscounted in some gateway. What a tenant
// asks next comes from its own dice, so that a seed gives the same questions whatever the machine's pace.

import type { HangUpPolicy } from '../../src/core/tenant.ts';
import type { Writer } from '../../src/node/demo/words.ts';
import { conversations, documents, toolLoops, type Question } from './prompts.ts';

/** How an answer is heard out. `leaves_after_content` counts content events, `leaves_after` milliseconds of the
 * machine from the start. */
export type Manner =
  | { readonly kind: 'reads' }
  | { readonly kind: 'reads_slowly'; readonly pauseMs: number }
  | { readonly kind: 'leaves_after_content'; readonly events: number }
  | { readonly kind: 'leaves_after'; readonly ms: number };

export interface Move {
  readonly operation: 'messages' | 'count_tokens';
  readonly isStream: boolean;
  readonly script: Readonly<Record<string, string>>;
  readonly manner: Manner;
}

export interface SoakTenant {
  readonly id: string;
  readonly hangUp: HangUpPolicy;
  /** The rest of its settings, as YAML flow text. */
  readonly settings: string;
  readonly workers: number;
  readonly pauseMs: readonly [low: number, high: number];
  readonly questions: readonly Question[];
  readonly move: (dice: Writer) => Move;
}

const READS: Manner = { kind: 'reads' };
const ROOMY = 'maxConcurrency: 16, queue: { max: 64, timeout: 2m }';

export function soakTenants(): SoakTenant[] {
  return [
    tenant('chat', 6, conversations('claude-sonnet-5-5', 1), (dice) => streamed(dice)),
    tenant('agent', 5, toolLoops('claude-opus-5-5', 2), (dice) =>
      streamed(dice, READS, {
        'x-simulator-tools': dice.between(0, 2) === 0 ? 'none' : `parallel:${dice.between(1, 3)}`,
      }),
    ),
    tenant('documents', 3, documents('claude-sonnet-4-5', 3), (dice) => whole(dice)),
    tenant(
      'thinker',
      3,
      conversations('claude-opus-5', 4, 4, 3),
      (dice) => streamed(dice, READS, { 'x-simulator-thinking-tokens': String(dice.between(20, 200)) }),
      'cache: observe',
    ),
    tenant(
      'counter',
      3,
      conversations('claude-haiku-5-5', 5, 4, 3),
      (dice) => (dice.between(0, 1) === 0 ? { ...whole(dice), operation: 'count_tokens' } : whole(dice)),
      'cache: off',
    ),
    tenant('leaver', 4, conversations('claude-sonnet-5', 6, 4, 3), (dice) => leaving(dice)),
    tenant('drainer', 4, conversations('claude-opus-4-8', 7, 4, 3), (dice) => leaving(dice), 'hangUp: drain'),
    tenant('hasty', 4, conversations('claude-sonnet-4-6', 8, 4, 3), (dice) => hasty(dice)),
    tenant('slow', 2, longAnswers(conversations('claude-haiku-4-5', 9, 3, 3)), (dice) => slow(dice)),
    tenant(
      'pair',
      4,
      conversations('claude-opus-4-7', 10, 4, 3),
      (dice) => (dice.between(0, 2) === 0 ? whole(dice) : streamed(dice)),
      'upstreams: [main, spare]',
    ),
    tenant(
      'crowd',
      9,
      conversations('claude-sonnet-5-5', 11, 3, 3),
      (dice) => streamed(dice),
      'maxConcurrency: 2, queue: { max: 3, timeout: 5s }',
    ),
  ];
}

function tenant(
  id: string,
  workers: number,
  questions: readonly Question[],
  move: SoakTenant['move'],
  settings = '',
): SoakTenant {
  const hangUp = settings.includes('hangUp: drain') ? 'drain' : 'cancel';
  const limits = settings.includes('maxConcurrency') ? '' : `${ROOMY}, `;
  return { id, hangUp, settings: `${limits}${settings}`, workers, pauseMs: [5, 60], questions, move };
}

function streamed(dice: Writer, manner = READS, script: Move['script'] = {}): Move {
  const outputTokens = { 'x-simulator-output-tokens': String(dice.between(10, 400)) };
  return { operation: 'messages', isStream: true, script: { ...outputTokens, ...script }, manner };
}

function whole(dice: Writer): Move {
  return { ...streamed(dice), isStream: false };
}

/** Two in three hang up somewhere in the content; some of those have heard everything by then. */
function leaving(dice: Writer): Move {
  const events = dice.between(1, 80);
  return streamed(dice, dice.between(0, 2) === 0 ? READS : { kind: 'leaves_after_content', events });
}

/** Gone at any time: in the queue, while held behind a leader, before the head, in the middle. */
function hasty(dice: Writer): Move {
  const manner: Manner = { kind: 'leaves_after', ms: dice.between(0, 150) };
  return dice.between(0, 2) === 0 ? { ...whole(dice), manner } : streamed(dice, manner);
}

/** Answers that come faster than they are read, so that bytes pile up on the way. */
function slow(dice: Writer): Move {
  const script = { 'x-simulator-output-tokens': String(dice.between(4_000, 12_000)) };
  return streamed(dice, { kind: 'reads_slowly', pauseMs: dice.between(150, 300) }, script);
}

function longAnswers(questions: readonly Question[]): Question[] {
  return questions.map((question) => ({ ...question, max_tokens: 64_000 }));
}
