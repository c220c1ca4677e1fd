import { concatenate } from './bytes.ts';

/**
 * Bytes into lines, ended by LF, CR LF or CR, at any split. A line that arrives in pieces is put together, except one
 * that nobody wants or that is too long: of that one only the head is kept, and it is reported as cut.
 */
export interface LineReader {
  push(chunk: Uint8Array): void;
  /** Bytes of a line have come whose end has not. */
  readonly inLine: boolean;
}

export interface LineReaderOptions {
  /** A longer line is cut. */
  readonly maxBytes: number;
  /** So many bytes tell whether a line is wanted, and are what is left of one that is cut. */
  readonly headBytes: number;
  readonly isUnwanted: (head: Uint8Array) => boolean;
  /** `line` is only good until this returns: it may be part of the chunk. */
  readonly onLine: (line: Uint8Array, isCut: boolean) => void;
}

const LF = 0x0a;
const CR = 0x0d;

export function createLineReader({ maxBytes, headBytes, isUnwanted, onLine }: LineReaderOptions): LineReader {
  let pieces: Uint8Array[] = []; // of the unfinished line; the first has the head, as far as it has come
  let bytes = 0;
  let isCut = false;
  let afterCr = false;

  const keep = (piece: Uint8Array): void => {
    if (isCut) return;
    if (bytes === 0 || bytes >= headBytes) pieces.push(piece.slice());
    else pieces = [concatenate([...pieces, piece])];
    bytes += piece.length;
    const head = pieces[0] as Uint8Array;
    isCut = bytes > maxBytes || isUnwanted(head);
    if (isCut) pieces = [head.slice(0, headBytes)];
  };

  const endLine = (tail: Uint8Array): void => {
    if (bytes === 0) return onLine(tail, tail.length > maxBytes);
    const line = isCut ? (pieces[0] as Uint8Array) : concatenate([...pieces, tail]);
    onLine(line, isCut || line.length > maxBytes);
    pieces = [];
    bytes = 0;
    isCut = false;
  };

  return {
    push(chunk) {
      let start = afterCr && chunk[0] === LF ? 1 : 0;
      if (chunk.length > 0) afterCr = false;
      let lf = chunk.indexOf(LF, start);
      let cr = chunk.indexOf(CR, start);
      while (lf >= 0 || cr >= 0) {
        const end = cr < 0 || (lf >= 0 && lf < cr) ? lf : cr;
        endLine(chunk.subarray(start, end));
        start = end + 1;
        if (end === cr && start === chunk.length) afterCr = true;
        if (end === cr && chunk[start] === LF) start++;
        if (lf >= 0 && lf < start) lf = chunk.indexOf(LF, start);
        if (cr >= 0 && cr < start) cr = chunk.indexOf(CR, start);
      }
      if (start < chunk.length) keep(chunk.subarray(start));
    },
    get inLine() {
      return bytes > 0;
    },
  };
}
