import type { GatewayRequest, Outcome, ResponseHead } from '../../core/exchange.ts';
import type { Context } from '../service.ts';
import type { UpstreamEnd } from '../upstream.ts';
import type { ReplyWriter, ReplyWriterOptions } from './reply-writer.ts';
import type { StreamRecoveryOptions } from './stream-recovery.ts';

export interface RelayOptions extends ReplyWriterOptions {
  /** `own`: a 401 is ours, not the caller's. */
  readonly credential: 'own' | 'caller';
  /** For streams that may be gone on with when they break; absent where they may not. */
  readonly callAgain?: Pick<StreamRecoveryOptions, 'callAgain' | 'mayCallAgain'>;
  /** +1 when an event stream begins, -1 when it is over. */
  readonly onOpenStreams: (by: 1 | -1) => void;
}

/** One kind of answer on its way; a relay becomes one of them when it has seen the head. */
export interface AnswerRelay {
  chunk(chunk: Uint8Array): boolean;
  finish(end: UpstreamEnd): Promise<Outcome>;
}

/** What all of them stand on. */
export interface Answer {
  readonly request: GatewayRequest;
  readonly context: Context;
  readonly options: RelayOptions;
  readonly head: ResponseHead;
  readonly writer: ReplyWriter;
}
