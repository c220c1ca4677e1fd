/**
 * How a model is asked to go on: models up to Claude 4.5 take the partial answer as a prefilled assistant turn, later
 * ones (and Mythos Preview) refuse a prefill and are told in a user turn (docs: streaming, error recovery; errors).
 */
export type Approach = 'prefill' | 'quote';

const PREFILL_UP_TO = 4.5;
/** claude-opus-4-5, claude-opus-4-5-20251101, claude-sonnet-4-20250514, claude-opus-4-0. */
const NAME_THEN_NUMBER = /^claude-[a-z]+-(\d{1,2})(?:-(\d))?(?:-\d{8}|-latest)?$/;
/** claude-3-opus-20240229, claude-3-7-sonnet-latest. */
const NUMBER_THEN_NAME = /^claude-(\d)(?:-(\d))?-[a-z]+(?:-\d{8}|-latest)?$/;

/** null: not a name of a Claude model as the API writes it; what such a model does with either turn is not known. */
export function approachOf(model: string | null): Approach | null {
  if (model === null) return null;
  if (model === 'claude-mythos-preview') return 'quote';
  const parts = NAME_THEN_NUMBER.exec(model) ?? NUMBER_THEN_NAME.exec(model);
  if (!parts) return null;
  return Number(`${parts[1]}.${parts[2] ?? 0}`) <= PREFILL_UP_TO ? 'prefill' : 'quote';
}
