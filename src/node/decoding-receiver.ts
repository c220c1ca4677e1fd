import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import type { HeaderMap } from '../core/headers.ts';
import type { AnswerReceiver, Flow } from '../pipeline/upstream.ts';

/** Some upstreams compress although they were not asked to. Whatever stands behind this sees plain bytes. */
export interface DecodingReceiver extends AnswerReceiver {
  /** Resolves when all that was decoded has been handed on; rejects when the bytes are not what they claim to be. */
  end(): Promise<void>;
}

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};

/** null where nothing is encoded, or in a way nobody here can read: those bytes pass with their header. */
export function decoding(
  encoding: string | undefined,
  receiver: AnswerReceiver,
  upstream: Flow & { abort(error: Error): void },
): DecodingReceiver | null {
  const create = DECODERS[encoding?.trim().toLowerCase() ?? ''];
  if (!create) return null;
  const decoder = create();
  let hasBytes = false;
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  ended.catch(() => {}); // read in end(), which an abort never reaches
  decoder.on('end', resolve).on('error', (error) => {
    reject(error);
    upstream.abort(error); // a broken decoder takes nothing more: the upstream would stay paused for ever
  });
  decoder.on('drain', () => upstream.resume());
  decoder.on('data', (chunk: Uint8Array) => {
    if (!receiver.chunk(chunk)) decoder.pause();
  });
  return {
    head(head) {
      receiver.head({ ...head, headers: withoutEncoding(head.headers) }, { resume: () => decoder.resume() });
    },
    chunk(chunk) {
      hasBytes = true;
      return decoder.destroyed || decoder.write(chunk);
    },
    end() {
      if (!hasBytes) return Promise.resolve(); // an answer to HEAD, a 204: named an encoding and has nothing in it
      decoder.end();
      return ended;
    },
  };
}

function withoutEncoding(headers: HeaderMap): HeaderMap {
  const { 'content-encoding': _encoding, 'content-length': _length, ...rest } = headers;
  return rest;
}
