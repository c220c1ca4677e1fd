import type { Model } from './models.ts';

/**
 * The simulator's estimate of tokens: UTF-8 bytes over the vocabulary's bytes per token, rounded up, for each position.
 * There is no public tokenizer for these models; this one is documented, deterministic, and roughly right for English.
 */
export function tokensOfText(text: string, model: Pick<Model, 'bytesPerToken'>): number {
  return Math.ceil(utf8Bytes(text) / model.bytesPerToken);
}

/** An image is a flat figure: pixels would have to be decoded. About one 1,100 × 1,100 picture by the docs' formula. */
export const IMAGE_TOKENS = 1600;
/** A PDF page's worth for each 50 kB of base64. */
const PDF_TOKENS_PER_CHARACTER = 1 / 25;

export function tokensOfBase64(data: string): number {
  return Math.max(IMAGE_TOKENS, Math.ceil(data.length * PDF_TOKENS_PER_CHARACTER));
}

function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    // A surrogate pair is two units and four bytes, so each half counts one more than the unit already counted.
    if (unit >= 0x80) bytes += unit >= 0x800 && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}
