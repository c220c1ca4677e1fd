import type { Opening } from './live-feed.ts';

/** The console's API as the page asks it: with the token, and every way it can go wrong as a value. */
export type Answer<Value> =
  | { readonly kind: 'ok'; readonly value: Value }
  | { readonly kind: 'unauthorized' }
  | { readonly kind: 'failed'; readonly status: number | null; readonly because: string };

export interface ConsoleApi {
  /** @param path under /console/api/, as `requests?limit=50`. */
  get<Value>(path: string, signal: AbortSignal): Promise<Answer<Value>>;
  download(path: string): Promise<Answer<Download>>;
  /** The live event stream. */
  open(signal: AbortSignal): Promise<Opening>;
}

export interface Download {
  readonly content: Blob;
  readonly fileName: string;
}

export function createConsoleApi(token: string): ConsoleApi {
  /** @param read takes from a good answer what is wanted of it; an answer may break off there, too. */
  const ask = async <Value>(
    path: string,
    signal: AbortSignal | null,
    read: (response: Response) => Value | Promise<Value>,
  ): Promise<Answer<Value>> => {
    try {
      const headers = { authorization: `Bearer ${token}` };
      const response = await fetch(`/console/api/${path}`, { headers, signal, cache: 'no-store' });
      if (response.ok) return { kind: 'ok', value: await read(response) };
      if (response.status === 401) return { kind: 'unauthorized' };
      return { kind: 'failed', status: response.status, because: await reasonOf(response) };
    } catch {
      return { kind: 'failed', status: null, because: 'The gateway cannot be reached.' };
    }
  };
  return {
    get: <Value>(path: string, signal: AbortSignal) => {
      return ask(path, signal, async (response) => (await response.json()) as Value);
    },
    download: (path) => {
      return ask(path, null, async (response) => {
        const fileName = fileNameIn(response.headers.get('content-disposition')) ?? path;
        return { content: await response.blob(), fileName };
      });
    },
    async open(signal) {
      const answer = await ask('live', signal, ({ body }) => body);
      if (answer.kind !== 'ok') return answer;
      return answer.value
        ? { kind: 'open', chunks: chunksOf(answer.value) }
        : { kind: 'failed', because: 'The gateway sent no stream.' };
    },
  };
}

/** @returns `savings.csv` of `attachment; filename="savings.csv"`. */
export function fileNameIn(contentDisposition: string | null): string | null {
  return /filename="?([^";]+)"?/i.exec(contentDisposition ?? '')?.[1] ?? null;
}

/** Safari cannot iterate a stream. */
async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
}

async function reasonOf(response: Response): Promise<string> {
  try {
    const { error } = (await response.json()) as { error?: unknown };
    if (typeof error === 'string') return error;
  } catch {
    // not our JSON: the status has to do
  }
  return `The gateway answers with status ${response.status}.`;
}
