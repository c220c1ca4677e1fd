// Reads HTTP/1.1 messages from a socket's bytes, for the mock (requests) and for the load (responses).
// Far less than node:http does, on purpose: both ends of the bench have to be cheaper than what stands between them.
// Invariant: whatever way the bytes are split, the same head, the same body bytes in order and one end are reported.

export interface MessageHead {
  /** "POST /v1/messages HTTP/1.1" or "HTTP/1.1 200 OK". */
  readonly startLine: string;
  readonly headers: ReadonlyMap<string, string>;
}

export interface MessageSink {
  onHead(head: MessageHead): void;
  onBody(part: Buffer): void;
  onEnd(): void;
}

type Advance = { kind: 'at'; at: number } | { kind: 'need-more' };

type Step = 'head' | 'sized-body' | 'body-to-close' | 'chunk-size' | 'chunk-data' | 'chunk-gap' | 'trailer';

const EMPTY = Buffer.alloc(0);
const CRLF = Buffer.from('\r\n');
const BLANK_LINE = Buffer.from('\r\n\r\n');

export class MessageReader {
  readonly #sink: MessageSink;
  #step: Step = 'head';
  #leftBytes = 0;
  #unread: Buffer = EMPTY;

  constructor(sink: MessageSink) {
    this.#sink = sink;
  }

  push(bytes: Buffer): void {
    const input = this.#unread.length === 0 ? bytes : Buffer.concat([this.#unread, bytes]);
    this.#unread = EMPTY;
    let at = 0;
    while (at < input.length) {
      const next = this.#advance(input, at);
      if (next.kind === 'need-more') {
        this.#unread = input.subarray(at);
        return;
      }
      at = next.at;
    }
  }

  /** The peer closed. Says whether that ended a message properly: only a body without a length may end so. */
  close(): { kind: 'clean' } | { kind: 'cut' } {
    if (this.#step === 'body-to-close') {
      this.#end();
      return { kind: 'clean' };
    }
    return this.#step === 'head' && this.#unread.length === 0 ? { kind: 'clean' } : { kind: 'cut' };
  }

  #advance(input: Buffer, at: number): Advance {
    switch (this.#step) {
      case 'head':
        return readUpTo(input, at, BLANK_LINE, (text) => this.#readHead(text));
      case 'chunk-size':
        return readUpTo(input, at, CRLF, (text) => this.#readChunkSize(text));
      case 'chunk-gap':
        return readUpTo(input, at, CRLF, () => void (this.#step = 'chunk-size'));
      case 'trailer':
        return readUpTo(input, at, CRLF, (text) => void (text === '' && this.#end()));
      case 'body-to-close':
        this.#sink.onBody(input.subarray(at));
        return { kind: 'at', at: input.length };
      default:
        return this.#readBody(input, at);
    }
  }

  #readHead(text: string): void {
    const [startLine = '', ...lines] = text.split('\r\n');
    const headers = new Map(lines.map(splitHeader));
    this.#sink.onHead({ startLine, headers });
    this.#leftBytes = Number(headers.get('content-length') ?? 0);
    if (headers.get('transfer-encoding') === 'chunked') this.#step = 'chunk-size';
    else if (this.#leftBytes > 0) this.#step = 'sized-body';
    else if (headers.has('content-length') || !startLine.startsWith('HTTP/')) this.#end();
    else this.#step = 'body-to-close';
  }

  #readChunkSize(text: string): void {
    this.#leftBytes = Number.parseInt(text, 16);
    if (Number.isNaN(this.#leftBytes)) throw new Error(`not a chunk size: ${JSON.stringify(text.slice(0, 40))}`);
    this.#step = this.#leftBytes === 0 ? 'trailer' : 'chunk-data';
  }

  #readBody(input: Buffer, at: number): Advance {
    const end = Math.min(input.length, at + this.#leftBytes);
    this.#leftBytes -= end - at;
    this.#sink.onBody(input.subarray(at, end));
    if (this.#leftBytes === 0 && this.#step === 'chunk-data') this.#step = 'chunk-gap';
    else if (this.#leftBytes === 0) this.#end();
    return { kind: 'at', at: end };
  }

  #end(): void {
    this.#step = 'head';
    this.#sink.onEnd();
  }
}

function readUpTo(input: Buffer, at: number, mark: Buffer, read: (text: string) => void): Advance {
  const found = input.indexOf(mark, at);
  if (found === -1) return { kind: 'need-more' };
  read(input.toString('latin1', at, found));
  return { kind: 'at', at: found + mark.length };
}

function splitHeader(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}
