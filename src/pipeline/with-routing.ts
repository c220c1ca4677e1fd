import type { Layer } from './service.ts';
import type { RoutedUpstream } from './upstream.ts';

/** Which upstream serves a request. The first one of the tenant's today; cache affinity and load come here. */
export type Route = (upstreamIds: readonly string[]) => RoutedUpstream;

export function withRouting({ route }: { readonly route: Route }): Layer {
  return (inner) => (request, context) => inner(request, { ...context, routed: route(context.tenant.upstreams) });
}
