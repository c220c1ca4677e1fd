import { type ApiRefusal, invalid, refuse } from './api-error.ts';

/** Reading a body once, with the API's limit (docs: errors, request size limits), and undoing its content-encoding. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

export interface RequestBody {
  readonly kind: 'body';
  /** As received. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly text: string;
}

export async function readBody(request: Request): Promise<RequestBody | ApiRefusal> {
  if (Number(request.headers.get('content-length') ?? 0) > MAX_BODY_BYTES) return tooLarge();
  const received = await collect(request.body, MAX_BODY_BYTES);
  if (received.kind === 'too-long') return tooLarge();
  const decoded = await decode(received.bytes, request.headers.get('content-encoding'));
  if (decoded.kind === 'refused') return decoded;
  return { kind: 'body', bytes: received.bytes, text: new TextDecoder().decode(decoded.bytes) };
}

async function decode(bytes: Uint8Array<ArrayBuffer>, encoding: string | null): Promise<Collected | ApiRefusal> {
  if (encoding === null || encoding === 'identity') return { kind: 'collected', bytes };
  if (encoding !== 'gzip' && encoding !== 'deflate') {
    return invalid(`content-encoding: '${encoding}' is not supported`, 'request_body_encoding_unsupported');
  }
  const decoder = new DecompressionStream(encoding);
  const whole = new Blob([bytes]).stream().pipeThrough(decoder);
  try {
    const plain = await collect(whole, MAX_BODY_BYTES);
    if (plain.kind === 'collected') return plain;
    return refuse(413, 'Request exceeds the maximum size', { errorCode: 'request_body_too_large_after_decoding' });
  } catch {
    return invalid(`content-encoding: the body is not valid ${encoding}`, 'request_body_encoding_invalid');
  }
}

interface Collected {
  readonly kind: 'collected';
  readonly bytes: Uint8Array<ArrayBuffer>;
}

async function collect(
  stream: ReadableStream<Uint8Array> | null,
  limitBytes: number,
): Promise<Collected | { readonly kind: 'too-long' }> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = stream?.getReader();
  for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) {
    length += next.value.length;
    if (length > limitBytes) {
      await reader?.cancel();
      return { kind: 'too-long' };
    }
    chunks.push(next.value);
  }
  return { kind: 'collected', bytes: joined(chunks, length) };
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function tooLarge(): ApiRefusal {
  return refuse(413, 'Request exceeds the maximum size');
}
