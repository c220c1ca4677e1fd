import { concatenate } from '../core/bytes.ts';
import {
  byteOrderMarkLength,
  QUOTE,
  readString,
  skipValue,
  skipWhitespace,
  visitMembers,
  walkElements,
  walkMembers,
} from '../core/json-cursor.ts';
import type { ByteRange } from '../core/scanned-prompt.ts';

/**
 * Batches and files in answers. A batch says where its results are, as an address on Anthropic's host, and SDKs go there
 * with the credential they have: it is led back to the gateway. Of the bytes only that string changes; what is not
 * understood is left as it is.
 */

/** The `id` of the object that the answer is; null where it has none. */
export function objectIdOf(answer: Uint8Array): string | null {
  let id: string | null = null;
  visitMembers(answer, startOf(answer), ({ nameStart, nameEnd, valueStart, valueEnd }) => {
    const isId = answer[valueStart] === QUOTE && readString(answer, nameStart, nameEnd) === 'id';
    if (isId) id = readString(answer, valueStart, valueEnd);
  });
  return id;
}

/** Whether an error says that the object is not there: a 404 of anything between here and the API does not. */
export function saysNotFound(answer: Uint8Array): boolean {
  let type: string | null = null;
  visitMembers(answer, startOf(answer), (member) => {
    if (readString(answer, member.nameStart, member.nameEnd) !== 'error') return;
    visitMembers(answer, member.valueStart, ({ nameStart, nameEnd, valueStart, valueEnd }) => {
      const isType = answer[valueStart] === QUOTE && readString(answer, nameStart, nameEnd) === 'type';
      if (isType) type = readString(answer, valueStart, valueEnd);
    });
  });
  return type === 'not_found_error';
}

/** @param answer a batch, or a list of them. @param gatewayUrl without `/v1`. */
export function withResultsHere(answer: Uint8Array, gatewayUrl: string): Uint8Array {
  const found: ResultsUrl[] = [];
  const end = walkMembers(answer, startOf(answer), (nameStart, nameEnd, valueStart) => {
    const isData = readString(answer, nameStart, nameEnd) === 'data';
    if (!isData) return skipValue(answer, valueStart);
    return walkElements(answer, valueStart, (start) => findResultsUrl(answer, start, found));
  });
  if (end < 0) return answer;
  findResultsUrl(answer, startOf(answer), found);
  found.sort((a, b) => a.start - b.start);
  return found.length === 0 ? answer : replaced(answer, found, gatewayUrl);
}

interface ResultsUrl extends ByteRange {
  readonly batchId: string;
}

/** Where it stands in the batch that begins at `start`; returns the offset behind the batch. */
function findResultsUrl(answer: Uint8Array, start: number, found: ResultsUrl[]): number {
  const batch: { id: string | null; url: ByteRange | null } = { id: null, url: null };
  const end = visitMembers(answer, start, ({ nameStart, nameEnd, valueStart, valueEnd }) => {
    if (answer[valueStart] !== QUOTE) return; // null until the batch has ended
    const name = readString(answer, nameStart, nameEnd);
    if (name === 'id') batch.id = readString(answer, valueStart, valueEnd);
    if (name === 'results_url') batch.url = { start: valueStart, end: valueEnd };
  });
  if (end < 0) return skipValue(answer, start); // no object
  if (batch.id !== null && batch.url !== null) found.push({ batchId: batch.id, ...batch.url });
  return end;
}

function replaced(answer: Uint8Array, urls: readonly ResultsUrl[], gatewayUrl: string): Uint8Array {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const { batchId, start, end } of urls) {
    const url = `${gatewayUrl}/v1/messages/batches/${encodeURIComponent(batchId)}/results`;
    pieces.push(answer.subarray(at, start), new TextEncoder().encode(JSON.stringify(url)));
    at = end;
  }
  return concatenate([...pieces, answer.subarray(at)]);
}

function startOf(answer: Uint8Array): number {
  return skipWhitespace(answer, byteOrderMarkLength(answer));
}
