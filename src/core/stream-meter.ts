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

const NOT_READ: StreamEventData = {};

export function createStreamMeter(): StreamMeter {
  return new Meter();
}

const isRead = (type: string): boolean => READ_EVENTS.has(type);

class Meter implements StreamMeter {
  usage = NO_USAGE;
  model: string | null = null;
  messageId: string | null = null;
  hasContent = false;
  deltas = 0;
  contentBytes = 0;
  ending: StreamMeter['ending'] = 'open';
  errorType: string | null = null;
  readonly #reader = createSseReader(isRead, (name, data) => this.#onEvent(name, data));

  get atBoundary(): boolean {
    return this.#reader.atBoundary;
  }

  push(chunk: Uint8Array): void {
    if (this.hasContent) this.contentBytes += chunk.length;
    this.#reader.push(chunk);
  }

  #onEvent(name: string, data: string): void {
    const event = isRead(name) ? parse(data) : NOT_READ;
    switch (name || event.type) {
      case 'message_start':
        this.usage = foldUsage(this.usage, event.message?.usage);
        this.model = text(event.message?.model) ?? this.model;
        this.messageId = text(event.message?.id) ?? this.messageId;
        break;
      case 'content_block_start':
        this.hasContent = true;
        break;
      case 'content_block_delta':
        this.hasContent = true;
        this.deltas++;
        break;
      case 'message_delta':
        this.usage = foldUsage(this.usage, event.usage);
        break;
      case 'message_stop':
        if (this.ending === 'open') this.ending = 'complete';
        break;
      case 'error':
        this.ending = 'error';
        this.errorType = text(event.error?.type);
        break;
    }
  }
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
