import type { Position, ScannedPrompt, Section, Ttl } from '../core/scanned-prompt.ts';
import { hashPair } from './content-hash.ts';
import type { Mark } from './prompt-view.ts';

/**
 * A prompt as the chain that a cache sees: position i stands for the whole prefix that ends with it, and two requests
 * share a prefix exactly as far as their chain hashes are equal. Fields that invalidate a level of the cache are links
 * of the chain at that level, so that a changed `tool_choice` parts two prompts at their first message.
 */
export interface Prefix {
  /** What the API renders: the scanned positions, without an attribution block that it strips. */
  readonly positions: readonly Position[];
  /** Chain hash (53 bits) of the prefix that ends with each position. */
  readonly hashes: Float64Array;
  /** Bytes of that prefix as they weigh in text, of which tokens are estimated. */
  readonly bytes: Float64Array;
  readonly toolsEnd: number;
  readonly systemEnd: number;
  readonly callerMarks: readonly Mark[];
  readonly automatic: Ttl | null;
  /** Hash of the parameters that key a cache, at all levels. */
  readonly params: number;
}

export interface PrefixOptions {
  /** Hash of what keys the cache beside the body: cache domain, model, betas. */
  readonly domainKey: number;
  /** Whether the upstream takes Claude Code's attribution block out of the prompt (Anthropic does, others do not). */
  readonly stripsAttribution: boolean;
}

export function prefixOf(prompt: ScannedPrompt, { domainKey, stripsAttribution }: PrefixOptions): Prefix {
  const strips = stripsAttribution && prompt.hasAttribution;
  const positions = strips ? prompt.positions.toSpliced(prompt.toolsEnd, 1) : prompt.positions;
  const hashes = new Float64Array(positions.length);
  const bytes = new Float64Array(positions.length);
  const callerMarks: Mark[] = [];
  let section: Section = 'tools';
  let link = hashPair(domainKey, prompt.keys.tools);
  let total = 0;
  positions.forEach((position, at) => {
    for (; section !== position.section; section = NEXT[section]) link = hashPair(link, prompt.keys[NEXT[section]]);
    link = hashPair(link, position.hash);
    total += position.textBytes;
    hashes[at] = link;
    bytes[at] = total;
    if (position.marker) callerMarks.push({ at, ttl: position.marker });
  });
  return {
    positions,
    hashes,
    bytes,
    toolsEnd: prompt.toolsEnd,
    systemEnd: prompt.systemEnd - (strips ? 1 : 0),
    callerMarks,
    automatic: prompt.automatic,
    params: hashPair(hashPair(prompt.keys.tools, prompt.keys.system), prompt.keys.messages),
  };
}

const NEXT: Readonly<Record<Section, Section>> = { tools: 'system', system: 'messages', messages: 'messages' };
