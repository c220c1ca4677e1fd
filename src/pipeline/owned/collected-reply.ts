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
  const reply: CollectedReply & { isOpen: boolean } = {
    isOpen: false,
    open(opened) {
      head = opened;
      reply.isOpen = true;
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
  return reply;
}
