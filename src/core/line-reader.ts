import { concatenate, copyOf } from './bytes.ts';

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

const NO_BYTES = new Uint8Array();
const LF = 0x0a;
const CR = 0x0d;

export function createLineReader(options: LineReaderOptions): LineReader {
  return new Lines(options);
}

/** A class: there is one for every open stream, and closures would be an object for each of its methods. */
class Lines implements LineReader {
  readonly #options: LineReaderOptions;
  #pieces: Uint8Array[] = []; // of the unfinished line; the first has the head, as far as it has come
  #bytes = 0;
  #isCut = false;
  #afterCr = false;

  constructor(options: LineReaderOptions) {
    this.#options = options;
  }

  get inLine(): boolean {
    return this.#bytes > 0;
  }

  push(chunk: Uint8Array): void {
    let start = this.#afterCr && chunk[0] === LF ? 1 : 0;
    if (chunk.length > 0) this.#afterCr = false;
    let lf = chunk.indexOf(LF, start);
    let cr = chunk.indexOf(CR, start);
    while (lf >= 0 || cr >= 0) {
      const end = cr < 0 || (lf >= 0 && lf < cr) ? lf : cr;
      this.#endLine(start === end ? NO_BYTES : chunk.subarray(start, end));
      start = end + 1;
      if (end === cr && start === chunk.length) this.#afterCr = true;
      if (end === cr && chunk[start] === LF) start++;
      if (lf >= 0 && lf < start) lf = chunk.indexOf(LF, start);
      if (cr >= 0 && cr < start) cr = chunk.indexOf(CR, start);
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  #keep(piece: Uint8Array): void {
    if (this.#isCut) return;
    const { maxBytes, headBytes } = this.#options;
    if (this.#bytes === 0 || this.#bytes >= headBytes) this.#pieces.push(copyOf(piece));
    else this.#pieces = [concatenate([...this.#pieces, piece])];
    this.#bytes += piece.length;
    const head = this.#pieces[0] as Uint8Array;
    this.#isCut = this.#bytes > maxBytes || this.#options.isUnwanted(head);
    if (this.#isCut) this.#pieces = [copyOf(head.subarray(0, headBytes))];
  }

  #endLine(tail: Uint8Array): void {
    const { maxBytes } = this.#options;
    if (this.#bytes === 0) return this.#options.onLine(tail, tail.length > maxBytes);
    const line = this.#isCut ? (this.#pieces[0] as Uint8Array) : concatenate([...this.#pieces, tail]);
    this.#options.onLine(line, this.#isCut || line.length > maxBytes);
    this.#pieces = [];
    this.#bytes = 0;
    this.#isCut = false;
  }
}
