import type { ScanMemory } from './scan-memory.ts';
import { scanRequest, type ScanResult } from './scan.ts';

/**
 * The gate in front of everything else: what no upstream could read is refused here, and whatever is Anthropic's to
 * judge (unknown fields, missing models, bad schemas) passes, scanned as far as it was understood.
 */
export type ReadRequest = (tenantId: string, bytes: Uint8Array) => ScanResult;

/**
 * @param isUtf8 a strict check of the runtime's own: every runtime has its fastest way.
 * @param memory null where there is no room for one: then each body is read whole.
 */
export function createRequestReader(isUtf8: (bytes: Uint8Array) => boolean, memory: ScanMemory | null): ReadRequest {
  return (tenantId, bytes) => {
    if (!isUtf8(bytes)) return { kind: 'invalid', code: 'body_not_utf8' };
    return memory ? memory.scan(tenantId, bytes) : scanRequest(bytes);
  };
}
