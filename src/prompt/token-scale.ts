/**
 * Tokens of a prompt before anybody has counted them: bytes times a ratio per model, learned from what each answer says
 * its prompt was. There is no public tokenizer for current models (docs: token counting).
 */
export interface TokenScale {
  tokensPerByte(model: string): number;
  /** An answer told that `bytes` of prompt were `tokens`. */
  learn(model: string, bytes: number, tokens: number): void;
}

/** About 3 bytes a token, between the two vocabularies in use; the first answers correct it. */
const FIRST_TOKENS_PER_BYTE = 1 / 3;
/** Weight of the newest answer: a few settle the ratio, none upsets it. */
const SMOOTHING = 0.1;
/** Short prompts say more of hidden system tokens than of the ratio. */
const MIN_BYTES = 2_000;
const MIN_RATIO = 0.05;
const MAX_RATIO = 1.5;
const MAX_MODELS = 256;

export function createTokenScale(): TokenScale {
  const ratios = new Map<string, number>();
  return {
    tokensPerByte: (model) => ratios.get(model) ?? FIRST_TOKENS_PER_BYTE,
    learn(model, bytes, tokens) {
      const ratio = tokens / bytes;
      if (bytes < MIN_BYTES || ratio < MIN_RATIO || ratio > MAX_RATIO) return; // images and documents are no text
      const known = ratios.get(model);
      if (known === undefined && ratios.size >= MAX_MODELS) return;
      ratios.set(model, known === undefined ? ratio : known + SMOOTHING * (ratio - known));
    },
  };
}
