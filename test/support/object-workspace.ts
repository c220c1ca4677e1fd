import { ACME_KEY, GLOBEX_KEY, useCleanedUp } from './gateway-under-test.ts';
import { startScriptedUpstream, type ScriptedUpstream, type UpstreamCall } from './scripted-upstream.ts';

/**
 * What a scripted upstream answers where batches and files are concerned: one workspace, whose objects anybody with its key
 * may see, as Anthropic's are. A batch has ended as soon as it is made.
 */
export interface ObjectWorkspace {
  /** Puts an object there behind the gateway's back; returns its id. */
  add(of: 'batches' | 'files'): string;
  remove(id: string): void;
  has(id: string): boolean;
}

export const ANTHROPIC = 'https://api.anthropic.com';

/** Odd white space, unknown members and a slash that is escaped: bytes that would not survive being parsed. */
export function batchText(id: string, resultsUrl = `${ANTHROPIC}/v1/messages/batches/${id}/results`): string {
  return `{ "id":"${id}", "type" : "message_batch","processing_status":"ended", "unknown":"a\\/b","n":1.0,
  "request_counts":{"id":"not-this","results_url":"nor this","succeeded":1},"results_url" : "${resultsUrl}" }`;
}

export function fileText(id: string): string {
  return `{"type":"file", "id":"${id}","filename":"caf\u00e9.pdf","size_bytes":12,"downloadable":false}`;
}

export function resultsText(id: string): string {
  return `{"custom_id":"${id}-1","result":{"type":"succeeded"}}\n{"custom_id":"${id}-2","result":{"type":"expired"}}\n`;
}

export function serveObjects(upstream: ScriptedUpstream, name = 'w'): ObjectWorkspace {
  const objects = new Set<string>();
  let made = 0;
  const add = (of: 'batches' | 'files'): string => {
    const id = `${of === 'batches' ? 'msgbatch' : 'file'}_${name}${String(++made).padStart(2, '0')}`;
    objects.add(id);
    return id;
  };
  upstream.script = (call) => {
    const [, of = '', id, part] = PATH.exec(call.target) ?? [];
    const isFile = of === 'files';
    const textOf = isFile ? fileText : batchText;
    if (id === undefined && call.method === 'POST') return call.answer(200, textOf(add(isFile ? 'files' : 'batches')));
    if (id === undefined || !objects.has(id)) return call.answer(404, notFoundText(call.target));
    if (call.method === 'DELETE') {
      objects.delete(id);
      return call.answer(200, { id, type: 'deleted' });
    }
    if (part === 'results' || part === 'content') return stream(call, resultsText(id));
    return call.answer(200, textOf(id));
  };
  return { add, remove: (id) => void objects.delete(id), has: (id) => objects.has(id) };
}

const PATH = /^\/v1\/(?:messages\/)?(batches|files)(?:\/([\w-]+)(?:\/(\w+))?)?(?:\?.*)?$/;

function stream(call: UpstreamCall, text: string): void {
  call.head(200, { 'content-type': 'application/binary' });
  call.write(text);
  call.end();
}

export function notFoundText(target: string): string {
  return JSON.stringify({ type: 'error', error: { type: 'not_found_error', message: `upstream: ${target}` } });
}

/** A second upstream, with a workspace of its own; call once per test file. */
export function useUpstreamElsewhere(): () => Promise<ScriptedUpstream> {
  const start = useCleanedUp(async (_options: undefined) => {
    const upstream = await startScriptedUpstream();
    return { stage: upstream, cleanUp: upstream.close };
  });
  return () => start(undefined);
}

/** Managed mode over both: acme's first upstream is the test's own, globex's is the one elsewhere. */
export function overBoth(elsewhere: ScriptedUpstream): (upstreamUrl: string) => string {
  return (url) => `
upstreams:
  - { id: here, baseUrl: "${url}", apiKey: key-of-here }
  - { id: elsewhere, baseUrl: "${elsewhere.url}", apiKey: key-of-elsewhere }
tenants:
  - { id: acme, keys: [${ACME_KEY}], upstreams: [here, elsewhere] }
  - { id: globex, keys: [${GLOBEX_KEY}], upstreams: [elsewhere, here] }
limits: { retries: 1 }
`;
}
