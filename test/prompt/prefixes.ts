import { hashText } from '../../src/prompt/content-hash.ts';
import { prefixOf, type Prefix } from '../../src/prompt/prefix.ts';
import { scanRequest } from '../../src/prompt/scan/scan.ts';

/** The prefix of a body as the gateway gets it, in a cache domain of this name. */
export function prefixOfBody(body: object, domain = 'main', stripsAttribution = true): Prefix {
  const result = scanRequest(new TextEncoder().encode(JSON.stringify(body)));
  if (result.kind !== 'scanned') throw new Error(result.code);
  return prefixOf(result.prompt, { domainKey: hashText(domain), stripsAttribution });
}

export const text = (words: string): object => ({ type: 'text', text: words });
export const user = (content: unknown): object => ({ role: 'user', content });
