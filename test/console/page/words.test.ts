import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERRORS } from '../../../src/core/errors.ts';
import { CACHE_REASONS, FLIGHT_ROLES, MARK_REASONS } from '../../../src/console/page/words/cache-words.ts';
import { BREAKERS, ENDS, OUTCOMES, refusalSentence, wordsFor } from '../../../src/console/page/words/exchange-words.ts';

/** The compiler holds the words against these types; this holds them against the text, for whoever runs no compiler. */
const UNIONS = [
  [CACHE_REASONS, 'prompt/explain.ts', 'type MissReason ='],
  [CACHE_REASONS, 'pipeline/cache/cache-report.ts', 'type OffReason ='],
  [CACHE_REASONS, 'pipeline/cache/cache-target.ts', 'type NoTargetReason ='],
  [MARK_REASONS, 'prompt/prompt-view.ts', 'type MarkReason ='],
  [FLIGHT_ROLES, 'pipeline/cache/cache-approach.ts', 'readonly role:'],
  [OUTCOMES, 'pipeline/attempt-labels.ts', 'type AttemptOutcome ='],
  [ENDS, 'core/exchange.ts', 'type StreamOutcome ='],
  [BREAKERS, 'core/failures/circuit-breaker.ts', 'type BreakerState ='],
] as const;

function codesIn(file: string, declaration: string): string[] {
  const source = readFileSync(new URL(`../../../src/${file}`, import.meta.url), 'utf8');
  const union = source.split(declaration)[1]?.split(';')[0] ?? '';
  return [...union.matchAll(/'([^']+)'/g)].map(([, code = '']) => code);
}

describe('the words of the page', () => {
  it.each(UNIONS)('there are some for every code (%#: %s)', (words, file, declaration) => {
    const codes = codesIn(file, declaration);
    expect(codes.length, `codes of ${declaration} in ${file}`).toBeGreaterThan(1);
    expect(codes.filter((code) => !Object.hasOwn(words, code))).toEqual([]);
  });

  it('are sentences where they explain the cache', () => {
    const sentences = [...Object.values(CACHE_REASONS), ...Object.values(FLIGHT_ROLES), ...Object.values(ENDS)];
    expect(sentences.filter((sentence) => !/^[A-Z].*\.$/.test(sentence))).toEqual([]);
  });

  it('tell a refusal as the caller was told', () => {
    expect(refusalSentence('queue_timeout')).toBe(ERRORS.queue_timeout.message);
  });

  it('are the code itself where a newer gateway sends one that this page does not know', () => {
    expect(wordsFor(OUTCOMES, 'struck_by_lightning')).toBe('struck by lightning');
    expect(wordsFor(OUTCOMES, 'toString')).toBe('toString');
    expect(refusalSentence('no_such_code')).toBe('no_such_code');
  });
});
