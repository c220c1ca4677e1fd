import { useEffect, useState } from 'preact/hooks';
import { parseRoute, type Route } from '../route.ts';

/** Where the address's fragment points; links, back and forward move it. */
export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const onChange = (): void => setHash(location.hash);
    window.addEventListener('hashchange', onChange);
    return () => window.removeEventListener('hashchange', onChange);
  }, []);
  return parseRoute(hash);
}
