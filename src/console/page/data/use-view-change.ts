import { useLayoutEffect, useRef } from 'preact/hooks';
import { hrefOf, parseRoute, type Route } from '../route.ts';

/**
 * A new view begins at its top, has its name in the title, and takes the focus where a link gave it away. Back from a story,
 * the list, which was kept behind it, stands where it stood, and the focus is on the link that was followed: with it the
 * list stays still until the focus goes elsewhere.
 */
export function useViewChange(route: Route, title: string, main: { readonly current: HTMLElement | null }): void {
  const place = route.view === 'story' ? hrefOf(route) : route.view;
  const before = useRef<string | null>(null);
  const list = useRef<ListPlace | null>(null);
  useLayoutEffect(() => {
    document.title = title;
    const from = before.current;
    before.current = place;
    if (route.view !== 'story' && list.current?.href !== hrefOf(route)) list.current = null;
    if (route.view === 'requests' && list.current && from !== null) returnTo(list.current, from, main.current);
    else if (from !== null) enter(main.current);
    if (route.view !== 'requests') return undefined;
    const note = (): void => {
      const shown = parseRoute(location.hash); // another list, when the filter has changed
      if (shown.view === 'requests') list.current = { href: hrefOf(shown), scrollY: window.scrollY };
    };
    note();
    window.addEventListener('scroll', note, { passive: true });
    return () => window.removeEventListener('scroll', note);
  }, [place]);
}

interface ListPlace {
  readonly href: string;
  readonly scrollY: number;
}

function returnTo({ scrollY }: ListPlace, from: string, main: HTMLElement | null): void {
  const link = main?.querySelector<HTMLElement>(`a[href="${from}"]`) ?? main;
  link?.focus({ preventScroll: true });
  window.scrollTo(0, scrollY);
}

function enter(main: HTMLElement | null): void {
  window.scrollTo(0, 0);
  main?.focus({ preventScroll: true });
}
