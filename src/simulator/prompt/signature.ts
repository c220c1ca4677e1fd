import type { Model } from '../model/models.ts';
import { digest } from '../wire/digest.ts';

/**
 * Signatures of thinking blocks. A signature holds which model family thought, after which prompt, and what: enough to tell
 * later whether the block came back unmodified and, on models that bind it, behind the same prefix
 * (docs: "preserve the prefix"). Cache markers, effort, tool choice and max_tokens are no part of that prefix.
 */
const MARK = 'claude-simulator-thinking';

export function signThinking(model: Model, prefix: string, thinking: string): string {
  return btoa([MARK, family(model), prefix, digest(thinking), digest(`${prefix}${thinking}${MARK}`)].join('|'));
}

export type SignatureCheck = 'valid' | 'forged' | 'other-model' | 'other-prefix';

export function checkSignature(signature: string, model: Model, prefix: string, thinking: string): SignatureCheck {
  const [mark, by, after, of] = decode(signature).split('|');
  if (mark !== MARK || of !== digest(thinking)) return 'forged';
  if (by !== family(model)) return 'other-model';
  return after === prefix || !model.bindsThinking ? 'valid' : 'other-prefix';
}

/** Mythos and Fable of one version read each other's thinking. */
function family(model: Model): string {
  return model.id.replace('mythos', 'fable');
}

function decode(signature: string): string {
  try {
    return atob(signature);
  } catch {
    return '';
  }
}
