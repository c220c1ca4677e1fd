import { mayBeUtf8Json } from '../../core/bytes.ts';
import { createNamedFiles } from '../../prompt/scan/file-ids.ts';

/**
 * The files that a compressed prompt names. It goes upstream as it came; only a copy is read, in passing. What cannot be
 * read as the API would read it (another encoding, broken, longer than the API takes) is not taken for a prompt without
 * files: else to compress it would be the way to another tenant's.
 */
export type CompressedFiles =
  { readonly kind: 'named'; readonly ids: readonly string[] } | { readonly kind: 'unreadable' };

/** All that every runtime can read. */
const FORMATS: ReadonlyMap<string, CompressionFormat> = new Map([
  ['gzip', 'gzip'],
  ['deflate', 'deflate'],
]);

/** What the API takes when it is unpacked (docs: API overview, request size limits). */
const MAX_BYTES = 32 * 1024 * 1024;

/** @param encoding as `content-encoding` has it. */
export async function filesInCompressed(body: Uint8Array, encoding: string): Promise<CompressedFiles> {
  const format = FORMATS.get(encoding);
  if (!format) return { kind: 'unreadable' };
  const files = createNamedFiles();
  const ids: string[] = [];
  let bytes = 0;
  try {
    for await (const piece of unpacked(body, format)) {
      bytes += piece.length;
      if (bytes > MAX_BYTES || !mayBeUtf8Json(piece)) return { kind: 'unreadable' };
      ids.push(...files.push(piece));
    }
    return { kind: 'named', ids };
  } catch {
    return { kind: 'unreadable' };
  }
}

function unpacked(body: Uint8Array, format: CompressionFormat): ReadableStream<Uint8Array> {
  const whole = new ReadableStream<BufferSource>({
    start(controller) {
      controller.enqueue(body as Uint8Array<ArrayBuffer>);
      controller.close();
    },
  });
  return whole.pipeThrough(new DecompressionStream(format));
}
