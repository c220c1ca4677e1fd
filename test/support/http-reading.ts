/**
 * What a strict HTTP/1.1 client makes of the bytes so far. It tells an answer that ended properly from one that was cut,
 * which is what most promises are about: an HTTP library would hide it.
 */
export interface Reading {
  readonly head: ReadHead | null;
  readonly body: Buffer;
  /** True from the end mark on: the last chunk, or all of the announced length. */
  readonly isWhole: boolean;
  /** Bytes of the input that belong to this answer. */
  readonly consumed: number;
  /** Headers behind the last chunk, with lower-case names. */
  readonly trailers: Readonly<Record<string, string>>;
}

export interface ReadHead {
  readonly status: number;
  readonly reason: string;
  /** Lower-case names; repeated ones joined. */
  readonly headers: Readonly<Record<string, string>>;
}

const NOTHING: Reading = { head: null, body: Buffer.alloc(0), isWhole: false, consumed: 0, trailers: {} };

export function readResponse(bytes: Buffer, isHead: boolean): Reading {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return NOTHING;
  const head = readHead(bytes.subarray(0, headEnd).toString('latin1'));
  const start = headEnd + 4;
  const bodyless = isHead || head.status === 204 || head.status === 304 || head.status < 200;
  if (bodyless) return { ...NOTHING, head, isWhole: true, consumed: start };
  if (head.headers['transfer-encoding'] === 'chunked') return readChunked(head, bytes, start);
  const length = head.headers['content-length'];
  if (length === undefined) return { ...NOTHING, head, body: bytes.subarray(start), consumed: bytes.length };
  const end = start + Number(length);
  return {
    ...NOTHING,
    head,
    body: bytes.subarray(start, end),
    isWhole: bytes.length >= end,
    consumed: Math.min(end, bytes.length),
  };
}

function readHead(text: string): ReadHead {
  const [statusLine = '', ...lines] = text.split('\r\n');
  const [, status, reason = ''] = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/.exec(statusLine) ?? [];
  return { status: Number(status), reason, headers: readFields(lines) };
}

function readFields(lines: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  return headers;
}

function readChunked(head: ReadHead, bytes: Buffer, start: number): Reading {
  const pieces: Buffer[] = [];
  let at = start;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) break;
    const length = Number.parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16);
    const dataStart = lineEnd + 2;
    if (length === 0) {
      const end = bytes.indexOf('\r\n\r\n', lineEnd);
      if (end < 0) break;
      const trailers = readFields(bytes.subarray(dataStart, end).toString('latin1').split('\r\n').filter(Boolean));
      return { head, body: Buffer.concat(pieces), isWhole: true, consumed: end + 4, trailers };
    }
    pieces.push(bytes.subarray(dataStart, dataStart + length));
    if (bytes.length < dataStart + length + 2) break;
    at = dataStart + length + 2;
  }
  return { ...NOTHING, head, body: Buffer.concat(pieces), consumed: bytes.length };
}
