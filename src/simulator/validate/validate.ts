import type { ApiRefusal } from '../wire/api-error.ts';
import type { Ask, Rule } from './ask.ts';
import { checkBetaFields, checkFields, checkUnknownNames } from './fields.ts';
import { checkMessages, checkSystem } from './messages.ts';
import { checkPrewarming, checkSampling, checkSpeed, checkThinking, checkVersionBreaks } from './model-rules.ts';
import { checkToolChoice, checkToolPairs, checkTools } from './tools.ts';

/** The rules in the order in which they speak. Markers are judged later, where positions are known. */
const RULES: readonly Rule[] = [
  checkBetaFields,
  checkFields,
  checkSystem,
  checkTools,
  checkMessages,
  checkToolPairs,
  checkToolChoice,
  checkThinking,
  checkSampling,
  checkSpeed,
  checkVersionBreaks,
  checkPrewarming,
];

export type Validation = { readonly kind: 'valid' } | ApiRefusal;

/** `unknown: 'accepted'` lets fields and betas through that the API would not know, as a newer API would. */
export function validate(ask: Ask, unknown: 'refused' | 'accepted'): Validation {
  const rules = unknown === 'refused' ? [checkUnknownNames, ...RULES] : RULES;
  for (const rule of rules) for (const refusal of rule(ask)) return refusal;
  return { kind: 'valid' };
}
