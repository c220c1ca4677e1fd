import type { GatewayRequest } from '../core/exchange.ts';
import { headerValue } from '../core/headers.ts';
import { readString } from '../core/json-cursor.ts';
import type { ByteRange, ScannedPrompt } from '../core/scanned-prompt.ts';
import { hashPair, hashText } from './content-hash.ts';

/**
 * Which conversation a request belongs to, as 53-bit hashes that routing remembers places by. A session the client names is
 * taken at its word; a user's name alone is not, since one user has many conversations and a service may send the same
 * name for all of them: it only tells apart conversations that begin alike. Keys of two tenants never meet.
 *
 * What is left: conversations without any name that begin with the same words share a key for as long as both run.
 */
export interface Affinity {
  /** null where nothing tells: an unread body, or the tail of a thread, without a name. */
  readonly session: number | null;
  /** Of the answer that a message thread goes on from: exact where it is known. */
  readonly thread: number | null;
}

export type AffinityRequest = Pick<GatewayRequest, 'headers' | 'model' | 'prompt' | 'body'>;

/**
 * In this order. Claude Code's own (Anthropic: gateway protocol); `x-session-id`: OpenRouter's documents, and what gateways
 * with session affinity ask callers for; `x-session-affinity`: what OpenCode sends to every provider.
 */
const SESSION_HEADERS = ['x-claude-code-session-id', 'x-session-id', 'x-session-affinity'];

/** A subagent has a conversation of its own within the session. */
const AGENT_HEADER = 'x-claude-code-agent-id';

export function affinityOf(request: AffinityRequest, tenantId: string): Affinity {
  const previous = textAt(request, request.prompt?.thread?.previousMessageId);
  return {
    session: sessionKey(request, tenantId),
    thread: previous === null ? null : threadKey(tenantId, previous),
  };
}

function sessionKey(request: AffinityRequest, tenantId: string): number | null {
  const agent = headerValue(request.headers, AGENT_HEADER) ?? '';
  const named = (session: string): number => hashText(`${tenantId}\nsession\n${session}\n${agent}`);
  const header = sessionHeader(request);
  if (header !== null) return named(header);
  const userId = textAt(request, request.prompt?.userId);
  const within = sessionWithin(userId);
  return within === null ? headKey(request, tenantId, userId ?? '') : named(within);
}

/** The key of an answer to a request with a `thread`, by which the request that goes on from it is known. */
export function threadKey(tenantId: string, messageId: string): number {
  return hashText(`${tenantId}\nanswer\n${messageId}`);
}

function sessionHeader({ headers }: AffinityRequest): string | null {
  for (const name of SESSION_HEADERS) {
    const value = headerValue(headers, name);
    if (value) return value;
  }
  return null;
}

/** Claude Code's user ids carry the session: as JSON since 2.1, behind `_session_` before. */
const SESSION_WITHIN = /"session_id"\s*:\s*"([^"]+)"|_session_([\da-f-]{36})$/;

function sessionWithin(userId: string | null): string | null {
  const match = userId === null ? null : SESSION_WITHIN.exec(userId);
  return match?.[1] ?? match?.[2] ?? null;
}

function headKey({ model, prompt }: AffinityRequest, tenantId: string, userId: string): number | null {
  if (!prompt || prompt.thread?.previousMessageId || prompt.positions.length === prompt.systemEnd) return null;
  return headHash(prompt, hashText(`${tenantId}\nhead\n${model ?? ''}\n${userId}`));
}

/** Tools, system and the first message. Claude Code's attribution block may change with every request: it is left out. */
function headHash({ positions, toolsEnd, systemEnd, hasAttribution }: ScannedPrompt, owner: number): number {
  let link = owner;
  for (let at = 0; at < positions.length; at++) {
    const position = positions[at];
    if (!position || (at >= systemEnd && position.index > 0)) break;
    if (!hasAttribution || at !== toolsEnd) link = hashPair(link, position.hash);
  }
  return link;
}

function textAt({ body }: AffinityRequest, range: ByteRange | null | undefined): string | null {
  return range && body instanceof Uint8Array ? readString(body, range.start, range.end) : null;
}
