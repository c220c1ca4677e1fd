/** What Uint8Array lacks. Pure, and without the Buffer of one runtime. */

export function asciiBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** Whether `prefix` stands at `at`. */
export function startsWith(bytes: Uint8Array, prefix: Uint8Array, at = 0): boolean {
  if (bytes.length - at < prefix.length) return false;
  for (let index = 0; index < prefix.length; index++) if (bytes[at + index] !== prefix[index]) return false;
  return true;
}

/** Whether `left`, from `at` on, is `right`. */
export function equalBytes(left: Uint8Array, right: Uint8Array, at = 0): boolean {
  return left.length - at === right.length && startsWith(left, right, at);
}

/** Node's Buffer takes `slice` for a view, which keeps all of the chunk that it was read with. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

/** The pieces one behind the other; a lone piece as it is, not a copy. */
export function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0] as Uint8Array;
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/**
 * Whether a piece may stand in JSON of UTF-8. That has no zero byte; JSON in UTF-16 or UTF-32, which some parsers find out
 * by themselves, has one in nearly every character.
 */
export function mayBeUtf8Json(piece: Uint8Array): boolean {
  return !piece.includes(0);
}
