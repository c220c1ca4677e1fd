import { concatenate } from '../../core/bytes.ts';
import type { Reply, ResponseHead } from '../../core/exchange.ts';

/** The way back of a call that the gateway makes for itself: what comes is kept for whoever asked. */
export interface CollectedReply extends Reply {
  /** null: it broke off, or there was none. */
  answer(): CollectedAnswer | null;
}

export interface CollectedAnswer extends ResponseHead {
  readonly body: Uint8Array;
}

export function createCollectedReply(): CollectedReply {
  const pieces: Uint8Array[] = [];
  let head: ResponseHead | null = null;
  let isWhole = false;
  return {
    get isOpen() {
      return head !== null;
    },
    open(opened) {
      head = opened;
    },
    write(piece) {
      pieces.push(piece);
      return true;
    },
    onDrain: (run) => run(),
    async end() {
      isWhole = true;
    },
    async cut() {},
    async drop() {},
    answer: () => (head && isWhole ? { ...head, body: concatenate(pieces) } : null),
  };
}
