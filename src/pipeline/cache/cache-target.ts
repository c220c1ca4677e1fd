import type { GatewayRequest } from '../../core/exchange.ts';
import { headerValue } from '../../core/headers.ts';
import { CACHE_WRITE_1H_MULTIPLIER, CACHE_WRITE_5M_MULTIPLIER, modelName, MODELS } from '../../core/models.ts';
import type { CacheMode } from '../../core/tenant.ts';
import { hashPair, hashText } from '../../prompt/content-hash.ts';
import { prefixOf, type Prefix } from '../../prompt/prefix.ts';
import type { PlanRules, Prolong, PromptView } from '../../prompt/prompt-view.ts';
import type { TokenScale } from '../../prompt/token-scale.ts';
import type { Context } from '../service.ts';

/** One request as the prompt cache sees it, or why it is none of its business. */
export type CacheTarget =
  | {
      readonly kind: 'target';
      readonly mode: 'auto' | 'observe';
      readonly domain: string;
      readonly model: string;
      /** Hash of the parameters that key a cache, betas among them. */
      readonly params: number;
      readonly isStream: boolean;
      readonly prefix: Prefix;
      readonly view: PromptView;
      readonly rules: PlanRules;
    }
  | { readonly kind: 'none'; readonly reason: NoTargetReason };

export type Target = Extract<CacheTarget, { kind: 'target' }>;

/** `disabled`: by the tenant's settings or the request's header; `unreadable`: compressed, or not fully understood. */
export type NoTargetReason = 'disabled' | 'unreadable';

export interface CacheSettings {
  readonly ttl: 'auto' | '5m' | '1h';
  readonly prolong: Prolong;
  readonly singleFlight: boolean;
  readonly maxHoldMs: number;
}

/** Prices and minimum of a model nobody here knows: the common ones, and the longest minimum of all. */
const UNKNOWN_MODEL = { readMultiplier: 0.1, minimumCacheTokens: 4096 };

export function cacheTarget(
  request: GatewayRequest,
  context: Context,
  settings: CacheSettings,
  scale: TokenScale,
): CacheTarget {
  const mode = modeOf(request, context.tenant.cache);
  if (request.operation !== 'messages' || mode === 'off') return { kind: 'none', reason: 'disabled' };
  if (!request.prompt || request.prompt.uncertain !== null || request.model === null || !context.routed) {
    return { kind: 'none', reason: 'unreadable' };
  }
  const { prompt, model } = request;
  const domain = domainOf(request, context);
  const betas = betasOf(request);
  const prefix = prefixOf(prompt, {
    domainKey: hashText(`${domain}\n${model}\n${betas}`),
    stripsAttribution: context.routed.stripsAttribution,
  });
  const tokensPerByte = scale.tokensPerByte(model);
  const view: PromptView = {
    key: `${mode}\n${domain}\n${model}`, // what is only observed writes no entry that others could read
    tenant: context.tenant.id,
    hashes: prefix.hashes,
    tokens: prefix.bytes.map((bytes) => bytes * tokensPerByte),
    markable: prefix.positions.map(({ markable, marker }) => Number(markable || marker !== null)),
    systemEnd: prefix.systemEnd,
    clientMarks: prefix.callerMarks,
    automatic: prefix.automatic,
    clientMarkers: prompt.callerMarkers,
  };
  const params = hashPair(prefix.params, hashText(betas));
  const rules = rulesFor(model, settings);
  return { kind: 'target', mode, domain, model, params, isStream: prompt.isStream, prefix, view, rules };
}

/** A caller may ask for less or more by header; the tenant's setting stands otherwise. */
function modeOf(request: GatewayRequest, setting: CacheMode): CacheMode {
  const asked = headerValue(request.headers, 'x-slipstream-cache');
  return asked === 'auto' || asked === 'observe' || asked === 'off' ? asked : setting;
}

/**
 * Requests share a cache within one Claude workspace. Of a caller's own credential we only know that it is that caller's;
 * the workspace header picks another workspace (docs: prompt caching, isolation).
 */
function domainOf(request: GatewayRequest, { routed, tenant }: Context): string {
  const workspace = headerValue(request.headers, 'anthropic-workspace-id') ?? '';
  const owner = routed?.credential === 'caller' ? tenant.id : '';
  return [routed?.cacheDomain, owner, workspace].join('/');
}

/** The set of active betas is part of what keys a cache (docs: cache diagnostics). */
function betasOf(request: GatewayRequest): string {
  const names = (headerValue(request.headers, 'anthropic-beta') ?? '').split(',').map((name) => name.trim());
  return [...new Set(names)]
    .filter((name) => name !== '')
    .toSorted()
    .join(',');
}

function rulesFor(model: string, { ttl, prolong }: CacheSettings): PlanRules {
  const facts = MODELS[modelName(model) ?? ''] ?? UNKNOWN_MODEL;
  return {
    minimumTokens: facts.minimumCacheTokens,
    read: facts.readMultiplier,
    write5m: CACHE_WRITE_5M_MULTIPLIER,
    write1h: CACHE_WRITE_1H_MULTIPLIER,
    prolong,
    ttl,
  };
}
