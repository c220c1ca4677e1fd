import { isThinking, type PartialAnswer } from './answer-record.ts';
import { objectIn, textIn, toObject, withValue, type WireObject } from './wire-object.ts';
import { addUsage, closingUsage, laterUsage } from './wire-usage.ts';

/**
 * Event by event, what an event of the second call is in the answer that the first one began. Blocks come one after the
 * other (docs: streaming), so there is at most one open on either side.
 * Invariant: with what the caller has, the events given out are at any moment the beginning of one valid sequence.
 */
export interface JoinedEvent {
  readonly type: string;
  readonly data: WireObject;
  readonly bytes: Uint8Array;
}

export interface StreamJoin {
  /** What stands for it, maybe nothing; null where it cannot be joined. */
  next(event: JoinedEvent): readonly JoinedEvent[] | null;
  /** Of both calls, as far as it is known. */
  usage(): WireObject;
}

/** The second call's block that is being read: its index there and, unless it is left out, here. */
interface CurrentBlock {
  readonly from: unknown;
  readonly to: number | null;
}

const encoder = new TextEncoder();

export function createStreamJoin(first: PartialAnswer, untold: string): StreamJoin {
  let { openIndex, nextIndex } = first;
  let isBlank = first.text.trim() === '';
  let stillUntold = untold;
  let current: CurrentBlock | null = null;
  let heldStart: JoinedEvent | null = null; // of a text block that nothing has come of
  let hasStarted = false;
  let hasStopReason = false;
  let callUsage: WireObject = {};

  const total = (): WireObject => addUsage(first.usage, callUsage);

  /** The API refuses a text without a word when it is sent back, so we never close one: it would spoil what follows. */
  const closeText = (): JoinedEvent[] | null => {
    if (openIndex === null) return [];
    if (isBlank) return null;
    const data = { type: 'content_block_stop', index: openIndex };
    openIndex = null;
    const bytes = encoder.encode(`event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`);
    return [{ type: data.type, data, bytes }];
  };

  const startText = (event: JoinedEvent, block: WireObject): JoinedEvent[] | null => {
    if (textIn(block, 'text') !== '') return null;
    current = { from: event.data['index'], to: openIndex ?? nextIndex };
    if (openIndex === null) heldStart = edited(event, ['index'], nextIndex);
    return openIndex === null && heldStart === null ? null : [];
  };

  const startBlock = (event: JoinedEvent): JoinedEvent[] | null => {
    if (current) return null;
    const block = objectIn(event.data, 'content_block');
    if (block['type'] === 'text') return startText(event, block);
    const isLeftOut = isThinking(block);
    current = { from: event.data['index'], to: isLeftOut ? null : nextIndex };
    if (isLeftOut) return [];
    stillUntold = '';
    return after(closeText(), edited(event, ['index'], nextIndex++));
  };

  const release = (): JoinedEvent[] => {
    const released = heldStart ? [heldStart] : [];
    if (heldStart) nextIndex++;
    heldStart = null;
    return released;
  };

  const goOn = (event: JoinedEvent): JoinedEvent[] | null => {
    if (current?.from !== event.data['index']) return null;
    if (!current || current.to === null) return [];
    const delta = objectIn(event.data, 'delta');
    const here = edited(event, ['index'], current.to);
    if (delta['type'] !== 'text_delta') return after(release(), here);
    const text = textIn(delta, 'text') ?? '';
    const news = withoutUntold(text);
    if (news === '' && (text !== '' || heldStart)) return [];
    isBlank &&= news.trim() === '';
    return after(release(), here && (news === text ? here : edited(here, ['delta', 'text'], news)));
  };

  /** What the caller has of it already, however it is cut into deltas, is left out up to the first difference. */
  const withoutUntold = (text: string): string => {
    let same = 0;
    while (same < text.length && text[same] === stillUntold[same]) same++;
    stillUntold = same === text.length ? stillUntold.slice(same) : '';
    return text.slice(same);
  };

  const stopBlock = (event: JoinedEvent): JoinedEvent[] | null => {
    if (!current || current.from !== event.data['index']) return null;
    const { to } = current;
    current = null;
    const isEmpty = heldStart !== null;
    heldStart = null;
    if (to === null || isEmpty) return [];
    if (to === openIndex) {
      if (isBlank) return null;
      openIndex = null;
    }
    return after([], edited(event, ['index'], to));
  };

  const endMessage = (event: JoinedEvent): JoinedEvent[] | null => {
    if (current) return null;
    const reported = toObject(event.data['usage']);
    callUsage = laterUsage(callUsage, reported ?? {});
    hasStopReason ||= (objectIn(event.data, 'delta')['stop_reason'] ?? null) !== null;
    return after(closeText(), reported ? edited(event, ['usage'], closingUsage(total(), reported)) : event);
  };

  const next = (event: JoinedEvent): readonly JoinedEvent[] | null => {
    switch (event.type) {
      case 'content_block_start':
        return startBlock(event);
      case 'content_block_delta':
        return goOn(event);
      case 'content_block_stop':
        return stopBlock(event);
      case 'message_delta':
        return endMessage(event);
      default:
        return hasStopReason ? [event] : null; // message_stop
    }
  };

  return {
    next(event) {
      const isStart = event.type === 'message_start';
      const isLate = hasStopReason && event.type.startsWith('content_');
      if (isStart === hasStarted || isLate) return null;
      if (!isStart) return next(event);
      hasStarted = true;
      callUsage = objectIn(objectIn(event.data, 'message'), 'usage');
      return [];
    },
    usage: total,
  };
}

/** The event with the value at `path` changed; the very same event where it is that value already. */
function edited(event: JoinedEvent, path: readonly string[], value: unknown): JoinedEvent | null {
  if (path.length === 1 && event.data[path[0] as string] === value) return event;
  const bytes = withValue(event.bytes, path, value);
  return bytes && { type: event.type, data: changed(event.data, path, value), bytes };
}

function changed(object: WireObject, [name = '', ...inner]: readonly string[], value: unknown): WireObject {
  return { ...object, [name]: inner.length === 0 ? value : changed(objectIn(object, name), inner, value) };
}

function after(before: readonly JoinedEvent[] | null, event: JoinedEvent | null): JoinedEvent[] | null {
  return before && event && [...before, event];
}
