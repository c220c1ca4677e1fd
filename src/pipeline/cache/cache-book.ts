import type { Clock } from '../../core/clock.ts';
import { totalInput, type TokenUsage } from '../../core/usage.ts';
import type { Kinship } from '../../prompt/kinship.ts';
import { observeSent, type SentRequest } from '../../prompt/learn/observe.ts';
import type { PlacementIndex } from '../../prompt/learn/placement-index.ts';
import type { PrefixBook } from '../../prompt/book/prefix-book.ts';
import { prolongs } from '../../prompt/plan/plan.ts';
import { readPath, type PathReading } from '../../prompt/plan/read-path.ts';
import { allMarks } from '../../prompt/prompt-view.ts';
import { settleAnswer, settleFailure } from '../../prompt/learn/settle-answer.ts';
import type { TokenScale } from '../../prompt/token-scale.ts';
import type { VolatilePrefixes } from '../../prompt/volatile-prefix.ts';
import type { Approach } from './cache-approach.ts';
import { knownPrefix, reportOf, untouchedReport, type CacheReport } from './cache-report.ts';
import type { Target } from './cache-target.ts';

/**
 * One request's account with what traffic teaches: opened when it is sent, with what is known by then; settled once, when
 * its answer begins or when it is clear that none will.
 */
export interface CacheBook {
  /** What can be said by now; null usage: the answer tells none. */
  report(usage: TokenUsage | null): CacheReport;
  /** By now the answer has most likely begun, unseen: others count on what was written until it is settled. */
  presume(): void;
  /** The answer has begun: what was written can be read. */
  settle(usage: TokenUsage | null): void;
  /** Our markers were refused: what goes out now has the caller's alone. */
  withdraw(): void;
  /** Nothing more will come; without effect once settled. */
  close(): void;
}

export interface BookPorts {
  readonly clock: Clock;
  readonly index: PlacementIndex;
  readonly scale: TokenScale;
  readonly kinship: Kinship;
  readonly volatile: VolatilePrefixes;
  readonly prefixes: PrefixBook;
}

export function openBook(target: Target, approach: Approach, ports: BookPorts): CacheBook {
  const { index, scale } = ports;
  const { view, rules, mode, model, prefix } = target;
  const { plan, marks, lead } = approach;
  const nowMs = ports.clock.nowMs();
  const reading = readPath(index, view, prolongs(index, rules), nowMs);
  const known = noteKnown(target, approach, reading, ports);
  let sent: SentRequest | null = observeSent(index, view, rules, marks, nowMs, reading);
  let isRefused = approach.isBanned;
  return {
    report(usage) {
      if (!usage) return untouchedReport('no_usage', null);
      if (mode === 'observe') return untouchedReport('observe', usage);
      return isRefused ? untouchedReport('refused_before', usage) : reportOf(known, plan, usage);
    },
    presume() {
      if (!sent) return;
      settleAnswer(index, sent, null);
      lead?.landed();
    },
    settle(usage) {
      if (!sent) return;
      settleAnswer(index, sent, mode === 'auto' ? inputOf(usage) : null);
      sent = null;
      lead?.landed();
      if (usage) scale.learn(model, prefix.bytes.at(-1) ?? 0, totalInput(usage));
    },
    withdraw() {
      isRefused = true;
      if (!sent) return;
      settleFailure(index, sent);
      sent = { ...sent, marks: allMarks(view, []) };
      if (sent.marks.length === 0) lead?.failed(); // nothing is written after all
    },
    close() {
      if (sent) settleFailure(index, sent);
      sent = null;
    },
  };
}

/** What is known before this request is counted among what was seen. */
function noteKnown(target: Target, { marks }: Approach, reading: PathReading, { index, kinship }: BookPorts) {
  const { domain, model, params, prefix } = target;
  const keys = { domain, model, params };
  const known = knownPrefix(index, target, marks, kinship.elsewhere(prefix, keys), reading);
  kinship.record(prefix, keys);
  return known;
}

function inputOf(usage: TokenUsage | null) {
  if (!usage) return null;
  return {
    uncachedTokens: usage.uncachedInput,
    readTokens: usage.cacheRead,
    writtenTokens: usage.cacheWrite5m + usage.cacheWrite1h,
  };
}
