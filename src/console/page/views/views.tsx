import { useRef } from 'preact/hooks';
import type { RequestFilter, Route } from '../route.ts';
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

interface ViewProps<OneRoute extends Route> {
  readonly route: OneRoute;
  /** Where a story leads back to. */
  readonly listHref: string;
}

export function ViewOf({ route, listHref }: ViewProps<Route>) {
  switch (route.view) {
    case 'live':
      return <LiveView />;
    case 'requests':
    case 'story':
      return <RequestsAndStory route={route} listHref={listHref} />;
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

/** The list that led to a story is kept behind it: with the rows that were asked for, and standing where it stood. */
function RequestsAndStory({ route, listHref }: ViewProps<Extract<Route, { view: 'requests' | 'story' }>>) {
  const list = useRef<RequestFilter | null>(null);
  if (route.view === 'requests') list.current = route.filter;
  return (
    <>
      {list.current && <RequestsView filter={list.current} isWaiting={route.view === 'story'} />}
      {route.view === 'story' && <StoryView key={route.id} id={route.id} listHref={listHref} />}
    </>
  );
}
