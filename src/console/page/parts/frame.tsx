import { useRef } from 'preact/hooks';
import { useConnection } from '../data/session.ts';
import { useRoute } from '../data/use-route.ts';
import { useViewChange } from '../data/use-view-change.ts';
import { hrefOf, type Route } from '../route.ts';
import { VIEWS, ViewOf } from '../views/views.tsx';
import { ConnectionState } from './connection-state.tsx';
import { GatewayNotice } from './gateway-notice.tsx';
import { ShortcutHelp } from './shortcut-help.tsx';

/** What stands around every view: the way to the others, whether the figures are fresh, and the notice when they are not. */
export function Frame() {
  const route = useRoute();
  const connection = useConnection();
  const main = useRef<HTMLElement>(null);
  useViewChange(route, titleOf(route), main);
  const list = useRef(hrefOf({ view: 'requests', filter: {} }));
  if (route.view === 'requests') list.current = hrefOf(route); // where a story leads back to
  const skip = (event: Event): void => {
    event.preventDefault(); // the fragment is the route
    main.current?.focus();
  };
  return (
    <>
      <header>
        <a class="skip" href={hrefOf(route)} onClick={skip}>
          Skip to the figures
        </a>
        <a class="name" href="#/live">
          Slipstream
        </a>
        <nav aria-label="Views">
          {VIEWS.map(({ route: to, name }) => (
            <a key={name} href={hrefOf(to)} aria-current={isWithin(route, to) ? 'page' : undefined}>
              {name}
            </a>
          ))}
        </nav>
        <ConnectionState />
        <ShortcutHelp />
      </header>
      <main ref={main} tabIndex={-1} class={connection.kind === 'lost' ? 'lost' : ''}>
        <GatewayNotice />
        <ViewOf route={route} listHref={list.current} />
      </main>
    </>
  );
}

function isWithin(route: Route, to: Route): boolean {
  return route.view === to.view || (route.view === 'story' && to.view === 'requests');
}

function titleOf(route: Route): string {
  if (route.view === 'story') return `Request ${route.id} · Slipstream`;
  return `${VIEWS.find(({ route: to }) => isWithin(route, to))?.name ?? ''} · Slipstream`;
}
