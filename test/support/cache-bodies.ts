/** Bodies long enough to be cached, and what is compared of them: everything but markers. */

/** Minimum 1,024 tokens; the simulator counts 2.5 bytes a token. */
export const CACHED_MODEL = 'claude-sonnet-5';
const BYTES_PER_TOKEN = 2.5;

/** A text of so many tokens as the simulator counts them; different for different names. */
export function textOf(name: string, tokens: number): string {
  const length = tokens * BYTES_PER_TOKEN;
  return `${name} `.repeat(Math.ceil(length / (name.length + 1))).slice(0, length);
}

export function ask(part: object): object {
  return { model: CACHED_MODEL, max_tokens: 32, messages: [user('Hello')], ...part };
}

export function user(content: unknown): object {
  return { role: 'user', content };
}

export function assistant(content: unknown): object {
  return { role: 'assistant', content };
}

export function block(text: string, ttl?: '5m' | '1h'): object {
  return ttl ? { type: 'text', text, cache_control: { type: 'ephemeral', ttl } } : { type: 'text', text };
}

/** Turns of a conversation, the newest message last: `exchanges` questions and answers, then a question. */
export function conversation(exchanges: number, tokens = 60): object[] {
  const past = Array.from({ length: exchanges }, (_, at) => [
    user(textOf(`question ${at}`, tokens)),
    assistant(textOf(`answer ${at}`, tokens)),
  ]);
  return [...past.flat(), user(textOf(`question ${exchanges}`, tokens))];
}

export interface Marker {
  readonly path: string;
  readonly ttl: '5m' | '1h';
}

interface MarkableBody {
  readonly tools?: readonly Markable[];
  readonly system?: string | readonly Markable[];
  readonly messages?: readonly { readonly content: string | readonly Markable[] }[];
  readonly cache_control?: unknown;
}
interface Markable {
  readonly cache_control?: { readonly ttl?: '5m' | '1h' } | null;
}

/** All markers of a body in prefix order, the top-level one not among them. */
export function markersOf(body: Uint8Array): Marker[] {
  const { tools = [], system = [], messages = [] } = JSON.parse(new TextDecoder().decode(body)) as MarkableBody;
  const of = (blocks: string | readonly Markable[], prefix: string): Marker[] =>
    typeof blocks === 'string'
      ? []
      : blocks.flatMap(({ cache_control: marker }, at) =>
          marker ? [{ path: `${prefix}[${at}]`, ttl: marker.ttl ?? '5m' }] : [],
        );
  return [
    ...of(tools, 'tools'),
    ...of(system, 'system'),
    ...messages.flatMap(({ content }, at) => of(content, `messages[${at}].content`)),
  ];
}

const ADDED =
  /\[\{"type":"text","text":("(?:[^"\\]|\\.)*"),"cache_control":\{"type":"ephemeral"(?:,"ttl":"1h")?\}\}\]/g;
const ADDED_MEMBER = /,"cache_control":\{"type":"ephemeral"(?:,"ttl":"1h")?\}/g;

/** The body without what the gateway adds: of a body that had no marker, the caller's own bytes. */
export function withoutMarkers(body: Uint8Array): string {
  return new TextDecoder().decode(body).replace(ADDED, '$1').replace(ADDED_MEMBER, '');
}
