import { byteOrderMarkLength, readJson, readString, skipWhitespace, visitMembers } from '../core/json-cursor.ts';
import { foldUsage, NO_USAGE, type TokenUsage } from '../core/usage.ts';

/** What of a JSON answer is counted or remembered; null usage where there is none (an error, a token count). */
export interface AnswerFacts {
  readonly usage: TokenUsage | null;
  readonly model: string | null;
  /** The message's id. */
  readonly id: string | null;
}

/** Reads a whole JSON answer of `/v1/messages` without parsing its content. Anything unreadable has no usage. */
export function readAnswer(bytes: Uint8Array): AnswerFacts {
  let usage: TokenUsage | null = null;
  let model: string | null = null;
  let id: string | null = null;
  const start = skipWhitespace(bytes, byteOrderMarkLength(bytes));
  visitMembers(bytes, start, ({ nameStart, nameEnd, valueStart, valueEnd }) => {
    const name = nameEnd - nameStart <= 16 ? readString(bytes, nameStart, nameEnd) : '';
    if (name === 'usage') usage = foldUsage(NO_USAGE, readJson(bytes, valueStart, valueEnd));
    if (name === 'model' && bytes[valueStart] === 0x22) model = readString(bytes, valueStart, valueEnd);
    if (name === 'id' && bytes[valueStart] === 0x22) id = readString(bytes, valueStart, valueEnd);
  });
  return { usage, model, id };
}
