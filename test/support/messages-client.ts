import { ACME_KEY } from './gateway-under-test.ts';

/** A caller that asks with Node's own fetch and reads the whole of each answer. */
export interface MessagesAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The value of `x-slipstream-cache`. */
  readonly cache: string;
  readonly text: string;
}

export interface MessagesOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export async function postMessages(
  baseUrl: string,
  body: object | string,
  { headers = {}, signal }: MessagesOptions = {},
): Promise<MessagesAnswer> {
  const response = await fetch(`${baseUrl}/v1/messages`, {
    method: 'POST',
    headers: {
      'x-api-key': ACME_KEY,
      'anthropic-version': '2023-06-01',
      'content-type': 'application/json',
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...(signal ? { signal } : {}),
  });
  const text = await response.text();
  const cache = response.headers.get('x-slipstream-cache') ?? '';
  return { status: response.status, headers: response.headers, cache, text };
}
