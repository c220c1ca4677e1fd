/**
 * The console's token on this page: from `#token=…` once, then out of the address, so that no history, bookmark or
 * screenshot keeps it; kept for this tab only.
 */
const KEY = 'slipstream.console.token';

/** @returns the token of a fragment that begins as `#token=abc`; null where it is the address of a view. */
export function tokenInHash(hash: string): string | null {
  const [, asked] = /^#\/?(token=.*)$/.exec(hash) ?? [];
  return asked === undefined ? null : new URLSearchParams(asked).get('token');
}

export function readToken(): string | null {
  const given = tokenInHash(location.hash);
  if (given === null) return sessionStorage.getItem(KEY);
  history.replaceState(null, '', `${location.pathname}#/live`);
  keepToken(given);
  return given;
}

export function keepToken(token: string): void {
  sessionStorage.setItem(KEY, token);
}

export function forgetToken(): void {
  sessionStorage.removeItem(KEY);
}
