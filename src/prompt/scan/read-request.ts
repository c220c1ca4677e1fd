import { scanRequest, type ScanResult } from './scan.ts';

/**
 * The gate in front of everything else: what no upstream could read is refused here, and whatever is Anthropic's to
 * judge (unknown fields, missing models, bad schemas) passes, scanned as far as it was understood.
 *
 * @param isUtf8 a strict check of the runtime's own: every runtime has its fastest way.
 */
export function readRequest(bytes: Uint8Array, isUtf8: (bytes: Uint8Array) => boolean): ScanResult {
  return isUtf8(bytes) ? scanRequest(bytes) : { kind: 'invalid', code: 'body_not_utf8' };
}
