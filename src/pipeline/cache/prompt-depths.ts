import type { Depths } from '../../core/choose-upstream.ts';
import type { Clock } from '../../core/clock.ts';
import type { GatewayRequest } from '../../core/exchange.ts';
import { prolongs } from '../../prompt/plan/plan.ts';
import type { PlacementIndex } from '../../prompt/learn/placement-index.ts';
import { readPath } from '../../prompt/plan/read-path.ts';
import type { TokenScale } from '../../prompt/token-scale.ts';
import { cacheTarget, type CacheSettings } from './cache-target.ts';
import type { Context } from '../service.ts';
import type { RoutedUpstream } from '../upstream.ts';

export interface PromptDepthsOptions {
  readonly clock: Clock;
  readonly index: PlacementIndex;
  readonly scale: TokenScale;
  readonly cacheSettings: () => CacheSettings;
}

const UNKNOWN: Depths = { liveDepth: 0, seenDepth: 0 };

/** How much of a prompt the cache of an upstream's domain can serve now, and how much of it was met there before. */
export function promptDepths({ clock, index, scale, cacheSettings }: PromptDepthsOptions) {
  return (request: GatewayRequest, context: Context, routed: RoutedUpstream): Depths => {
    const target = cacheTarget(request, { ...context, routed }, cacheSettings(), scale);
    if (target.kind === 'none') return UNKNOWN;
    return readPath(index, target.view, prolongs(index, target.rules), clock.nowMs());
  };
}
