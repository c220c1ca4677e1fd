/**
 * Whether a body could name a file at all, however deep and however escaped: some four times as fast as to look for its ids
 * (file-ids.ts), which nearly no prompt has. Invariant: a body of which this says no has no member named `file_id`.
 */
const NAME = 'file_id';
/** A printable ASCII character, escaped without need: any of the name's may be. */
const ESCAPED = /\\u00[2-7]/;

const PIECE_BYTES = 64 * 1024;
/** What is cut in two by the end of a piece is whole in one of them. */
const OVERLAP_BYTES = 16;

export function mayNameFiles(body: Uint8Array): boolean {
  const decoder = new TextDecoder();
  for (let at = 0; at < body.length; at += PIECE_BYTES) {
    const text = decoder.decode(body.subarray(at, at + PIECE_BYTES + OVERLAP_BYTES));
    if (text.includes(NAME) || ESCAPED.test(text)) return true;
  }
  return false;
}
