import { createSseReader } from '../../src/core/sse.ts';

/**
 * What a client may rely on in the events of one answer (docs: streaming): one message_start, blocks one after the other
 * with indexes that count up from 0, deltas that fit the open block, at least one message_delta, the last of them with
 * a stop reason, and one message_stop at the very end. Pings and events of an unknown name may stand anywhere.
 */
export interface StreamEvent {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export function eventsIn(bytes: Uint8Array): StreamEvent[] {
  const events: StreamEvent[] = [];
  const reader = createSseReader(
    () => true,
    (type, text) => {
      const data = JSON.parse(text) as StreamEvent['data'];
      events.push({ type: type || String(data['type']), data });
    },
  );
  reader.push(bytes);
  if (!reader.atBoundary) throw new Error('the stream ends inside an event');
  return events;
}

/** What is wrong with the next event after all those before it; null where nothing is. */
export interface SequenceCheck {
  next(event: StreamEvent): string | null;
  /** What is wrong with the sequence ending here. */
  end(): string | null;
}

const DELTAS: Readonly<Record<string, readonly string[]>> = {
  text: ['text_delta', 'citations_delta'],
  thinking: ['thinking_delta', 'signature_delta'],
  tool_use: ['input_json_delta'],
  server_tool_use: ['input_json_delta'],
};

type Member = 'content_block' | 'delta';

export function createSequenceCheck(): SequenceCheck {
  let isStarted = false;
  let isStopped = false;
  let hasStopReason = false;
  let nextIndex = 0;
  let open: { readonly index: number; readonly type: string } | null = null;

  const member = (event: StreamEvent, name: Member) => (event.data[name] ?? {}) as Record<string, unknown>;
  const isOpen = (event: StreamEvent) => open !== null && open.index === event.data['index'];

  const RULES: Readonly<Record<string, (event: StreamEvent) => boolean>> = {
    message_start: () => !isStarted && (isStarted = true),
    content_block_start(event) {
      if (open || hasStopReason || event.data['index'] !== nextIndex) return false;
      open = { index: nextIndex++, type: String(member(event, 'content_block')['type']) };
      return true;
    },
    content_block_delta: (event) =>
      isOpen(event) && (DELTAS[open?.type ?? ''] ?? []).includes(String(member(event, 'delta')['type'])),
    content_block_stop(event) {
      const fits = isOpen(event);
      open = null;
      return fits;
    },
    message_delta(event) {
      if (open) return false;
      hasStopReason = typeof member(event, 'delta')['stop_reason'] === 'string';
      return true;
    },
    message_stop: () => hasStopReason && !open && (isStopped = true),
    error: () => false,
  };

  return {
    next(event) {
      const rule = RULES[event.type];
      if (!rule) return isStopped ? `${event.type} after message_stop` : null;
      const isInPlace = !isStopped && isStarted === (event.type !== 'message_start');
      return isInPlace && rule(event) ? null : `${event.type} ${JSON.stringify(event.data).slice(0, 80)} out of place`;
    },
    end: () => (isStopped ? null : 'no message_stop'),
  };
}

/** The first thing wrong with a whole sequence; null where nothing is. */
export function faultOf(events: readonly StreamEvent[]): string | null {
  const check = createSequenceCheck();
  for (const event of events) {
    const fault = check.next(event);
    if (fault) return fault;
  }
  return check.end();
}

/** The texts of an answer's text blocks, in order. */
export function textsOf(events: readonly StreamEvent[]): string[] {
  const texts: string[] = [];
  for (const { type, data } of events) {
    const block = data['content_block'] as { readonly type: string } | undefined;
    const delta = data['delta'] as { readonly text?: string } | undefined;
    if (type === 'content_block_start' && block?.type === 'text') texts.push('');
    if (type === 'content_block_delta' && typeof delta?.text === 'string') texts.push((texts.pop() ?? '') + delta.text);
  }
  return texts;
}
