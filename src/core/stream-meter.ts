import { createSseReader } from './sse.ts';
import { foldUsage, NO_USAGE, type TokenUsage } from './usage.ts';

/**
 * Reads along an Anthropic event stream and knows at any moment what it has been worth: usage, the model that answered,
 * whether content has begun, and how it ended. A stream is complete only with `message_stop`; whatever else ends it,
 * an `error` event or silence, leaves it incomplete, and nobody downstream may call it finished.
 */
export interface StreamMeter {
  push(chunk: Uint8Array): void;
  readonly atBoundary: boolean;
  readonly usage: TokenUsage;
  /** The model as the answer names it; null until `message_start`. */
  readonly model: string | null;
  /** The id of the message; null until `message_start`. */
  readonly messageId: string | null;
  /** True from the first `content_block_start` on: what TTFT is measured to. */
  readonly hasContent: boolean;
  readonly deltas: number;
  /** Of the chunks behind the one in which content began. */
  readonly contentBytes: number;
  readonly ending: 'open' | 'complete' | 'error';
  /** `error.type` of an `error` event inside the stream. */
  readonly errorType: string | null;
}

/** Event types whose data is read. Pings and deltas, nearly all of a stream, are only counted as passing by. */
const READ_EVENTS = new Set(['message_start', 'message_delta', 'error', '']);

interface StreamEventData {
  readonly type?: unknown;
  readonly message?: { readonly id?: unknown; readonly model?: unknown; readonly usage?: unknown } | null;
  readonly usage?: unknown;
  readonly error?: { readonly type?: unknown } | null;
}

export function createStreamMeter(): StreamMeter {
  let usage = NO_USAGE;
  let model: string | null = null;
  let messageId: string | null = null;
  let hasContent = false;
  let deltas = 0;
  let contentBytes = 0;
  let ending: StreamMeter['ending'] = 'open';
  let errorType: string | null = null;

  const onEvent = (name: string, data: string): void => {
    const event = READ_EVENTS.has(name) ? parse(data) : {};
    switch (name || event.type) {
      case 'message_start':
        usage = foldUsage(usage, event.message?.usage);
        model = text(event.message?.model) ?? model;
        messageId = text(event.message?.id) ?? messageId;
        break;
      case 'content_block_start':
        hasContent = true;
        break;
      case 'content_block_delta':
        hasContent = true;
        deltas++;
        break;
      case 'message_delta':
        usage = foldUsage(usage, event.usage);
        break;
      case 'message_stop':
        if (ending === 'open') ending = 'complete';
        break;
      case 'error':
        ending = 'error';
        errorType = text(event.error?.type);
        break;
    }
  };

  const reader = createSseReader((type) => READ_EVENTS.has(type), onEvent);
  return {
    push(chunk) {
      if (hasContent) contentBytes += chunk.length;
      reader.push(chunk);
    },
    get atBoundary() {
      return reader.atBoundary;
    },
    get usage() {
      return usage;
    },
    get model() {
      return model;
    },
    get messageId() {
      return messageId;
    },
    get hasContent() {
      return hasContent;
    },
    get deltas() {
      return deltas;
    },
    get contentBytes() {
      return contentBytes;
    },
    get ending() {
      return ending;
    },
    get errorType() {
      return errorType;
    },
  };
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function parse(data: string): StreamEventData {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {}; // not ours to judge: the bytes are relayed as they are
  }
}
