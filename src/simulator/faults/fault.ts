/**
 * Faults a test can order. One answer may have several, such as a stall and then a cut. Grammar:
 * `name;parameter=value;… , name;…`, for example `429;retry-after=2` or `gzip, stall;after=3;ms=20000`.
 * `after` counts content events (block starts, deltas and stops), so `after=0` is behind message_start and before any content.
 */
export type Fault =
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly errorCode: string;
    }
  | { readonly kind: 'html'; readonly status: number }
  | { readonly kind: 'redirect'; readonly to: string; readonly status: number }
  | { readonly kind: 'stall-headers'; readonly ms: number }
  | { readonly kind: 'error-in-stream'; readonly after: number; readonly type: string }
  | { readonly kind: 'cut'; readonly after: number }
  | { readonly kind: 'end-early'; readonly after: number }
  | { readonly kind: 'stall'; readonly after: number; readonly ms: number }
  | { readonly kind: 'gzip' }
  | { readonly kind: 'crlf' }
  | { readonly kind: 'no-event-lines' }
  | { readonly kind: 'no-pings' }
  | { readonly kind: 'tiny-chunks'; readonly bytes: number };

export type FaultKind = Fault['kind'];

/** For `ms` left out: the silence lasts until the caller goes away. */
export const FOREVER_MS = Number.POSITIVE_INFINITY;

/** Before message_start: the 200's headers and nothing of the message. */
export const BEFORE_MESSAGE_START = -1;

/** The one fault of this kind, if ordered. */
export function faultOf<K extends FaultKind>(
  faults: readonly Fault[],
  kind: K,
): Extract<Fault, { kind: K }> | undefined {
  return faults.find((fault): fault is Extract<Fault, { kind: K }> => fault.kind === kind);
}
