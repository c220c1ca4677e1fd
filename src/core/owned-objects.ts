/**
 * Batches and files: what a caller makes at an upstream, and comes back for by its id. An upstream keeps them for a whole
 * workspace; whose they are within it is the gateway's to know.
 */
export type ObjectKind = 'batches' | 'files';

/** What a request does to them. */
export type ObjectCall = CallForMany | CallForOne;

interface CallForObjects {
  readonly of: ObjectKind;
  /** Where this caller reaches the gateway, without `/v1`: what an answer tells it to follow must lead back here. */
  readonly gatewayUrl: string;
}

export interface CallForMany extends CallForObjects {
  readonly does: 'create' | 'list';
}

export interface CallForOne extends CallForObjects {
  /** `read`: answers with the object itself; `download`: with what is in it. */
  readonly does: 'read' | 'download' | 'cancel' | 'delete';
  readonly id: string;
}
