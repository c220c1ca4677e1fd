import type { MissReason } from '../../../prompt/explain.ts';
import type { MarkReason } from '../../../prompt/prompt-view.ts';
import type { OffReason } from '../../../pipeline/cache/cache-report.ts';
import type { Approach } from '../../../pipeline/cache/cache-approach.ts';
import type { CacheLabel } from '../../contract.ts';

/**
 * What the prompt cache did, in sentences. The keys are the codes of src/prompt and src/pipeline/cache: a code without a
 * sentence does not compile, and a sentence says what it means for the one who looks, not what it is called.
 */
type CacheReason = MissReason | OffReason;

export const CACHE_RESULTS: Readonly<Record<CacheLabel, string>> = {
  hit: 'At least four fifths of its input were read from the cache.',
  partial: 'Part of its input was read from the cache, less than four fifths.',
  miss: 'Nothing was read from the cache; its prefix was written for those that come next.',
  off: 'The cache neither gave nor took anything.',
};

export const CACHE_REASONS: Readonly<Record<CacheReason, string>> = {
  first_seen: 'No earlier request began like this one: there was nothing to read yet.',
  expired: 'Its prefix had been written, but nobody read it in time, and its time to live ran out.',
  prefix_changed: 'It begins like earlier requests, then something differs: from there on nothing could be read.',
  tools_changed: 'The tool definitions differ from those of earlier requests, and everything stands behind them.',
  model_changed: 'The same prompt is known, but of another model; each model has a cache of its own.',
  params_changed:
    'The same prompt is known, but with other settings that key the cache, such as thinking, tool choice or betas.',
  other_domain: 'The same prompt is known, but in another cache domain: another workspace or another upstream.',
  below_minimum: 'It is shorter than the shortest prefix that its model caches.',
  lookback: 'Its prefix is in the cache, but more than 20 positions below the nearest marker, where nobody looks.',
  not_yet_readable: 'Another request was writing the same prefix at that moment, and it could not be read yet.',
  evicted: 'Its prefix should have been in the cache and was not: the upstream had dropped it early.',
  disabled: 'Caching is switched off for this tenant or by a header of the request.',
  unreadable: 'Its body was compressed or not understood well enough to be touched.',
  observe: 'This tenant is only observed: the gateway plans and changes nothing.',
  not_worth_it: 'No marker of the gateway would have paid for itself.',
  refused_before: 'The upstream refused markers on prompts of this shape within the last hour, so none was added.',
  not_cached: 'It carried markers, and the upstream neither read nor wrote anything.',
  no_usage: 'The answer does not say what was read.',
};

export const MARK_REASONS: Readonly<Record<MarkReason, string>> = {
  live: 'the deepest prefix that can be read, so that it is found',
  system: 'the end of tools and system, which other conversations share',
  head: 'where different conversations part',
  seen: 'the deepest prefix that was met before',
  stable: 'just before the last positions, which the next turn does not keep',
  tail: 'the end of the prompt, because the conversation is likely to go on',
  keep: 'a small write for an hour that keeps a long prefix alive',
  probe: 'a small write for an hour, to learn whether it keeps what stands below alive',
};

export const FLIGHT_ROLES: Readonly<Record<Approach['role'], string>> = {
  none: 'Nobody else was writing the same prefix.',
  leader: 'It was the first to write this prefix; others could wait for it.',
  follower: 'It waited until another request had written the same prefix.',
  promoted: 'It waited for another request to write the same prefix, and took over when that one failed.',
};
