/**
 * Stands in the bundle for parts of the SDK that are a twelfth of it and change nothing here (wrangler.toml, alias). Looking
 * for credentials in files and identity tokens: it always has a key, so that a call is an error, and fails its request.
 * Called, and without effect: a class for each error code, of answers that never reach the SDK; and queries as objects, of
 * a URL in whose place goes the caller's own (claude-upstream.ts).
 */
function noKey(): never {
  throw new Error('an upstream has its key from the settings, or its callers bring theirs');
}

export const defaultCredentials = noKey;
export const resolveCredentialsFromConfig = noKey;

export const ERROR_CODE_CLASSES = new Map<string, never>();

export function stringifyQuery(query: Record<string, string>): string {
  return String(new URLSearchParams(query));
}
