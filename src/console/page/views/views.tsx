import type { Route } from '../route.ts';
import { LiveView } from './live-view.tsx';
import { PrefixesView } from './prefixes-view.tsx';
import { RequestsView } from './requests-view.tsx';
import { SavingsView } from './savings-view.tsx';
import { StoryView } from './story-view.tsx';
import { TenantsView } from './tenants-view.tsx';
import { UpstreamsView } from './upstreams-view.tsx';

/** In the order of the number keys. */
export const VIEWS: readonly { readonly name: string; readonly route: Route }[] = [
  { name: 'Live', route: { view: 'live' } },
  { name: 'Requests', route: { view: 'requests', filter: {} } },
  { name: 'Prefixes', route: { view: 'prefixes' } },
  { name: 'Tenants', route: { view: 'tenants' } },
  { name: 'Upstreams', route: { view: 'upstreams' } },
  { name: 'Savings', route: { view: 'savings', by: 'tenant' } },
];

export function ViewOf({ route, listHref }: { readonly route: Route; readonly listHref: string }) {
  switch (route.view) {
    case 'live':
      return <LiveView />;
    case 'requests':
      return <RequestsView filter={route.filter} />;
    case 'story':
      return <StoryView key={route.id} id={route.id} listHref={listHref} />;
    case 'prefixes':
      return <PrefixesView />;
    case 'tenants':
      return <TenantsView />;
    case 'upstreams':
      return <UpstreamsView />;
    default:
      return <SavingsView by={route.by} />;
  }
}
