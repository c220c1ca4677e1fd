import type { RequestStory } from '../../contract.ts';
import { ENDS, FAULTS, refusalSentence, wordsFor } from './exchange-words.ts';
import { unbroken } from './numbers.ts';
import { formatDuration, formatInstant } from './times.ts';

/** The head of a request's story: who asked what, how it ended, how long it took, whose fault it was. */
export function storySentences(story: RequestStory): readonly string[] {
  const { tenant, model, operation, isStream, receivedAtMs, durationMs, status, end, refusal, fault, ttftMs } = story;
  const what = operation === 'messages' ? (isStream ? 'a stream' : 'an answer') : operation.replaceAll('_', ' ');
  const sentences = [
    `${tenant} asked ${model === null ? '' : `${model} `}for ${what} at ${formatInstant(receivedAtMs)}.`,
    refusal === null ? wordsFor(ENDS, end) : `It was refused: ${refusalSentence(refusal)}`,
    `It took ${unbroken(formatDuration(durationMs))}${ttftMs === null ? '' : `, ${unbroken(formatDuration(ttftMs))} to the first token`}; status ${status}.`,
  ];
  return fault === null ? sentences : [...sentences, `To be looked into by ${FAULTS[fault]}.`];
}
