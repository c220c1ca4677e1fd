/**
 * Stands in the bundle for parts of the SDK that an upstream's client does not use, a twelfth of it (wrangler.toml, alias):
 * looking for credentials in files and identity tokens, of which a Worker has none; a class for each error code of each
 * endpoint, where answers never reach the SDK; queries as objects, where ours are in the path. Should one of them be used
 * after all, nothing is found, an error is a general one, and a query is written as URLs have it.
 */
export const defaultCredentials = async (): Promise<null> => null;

export function resolveCredentialsFromConfig(): never {
  throw new Error('an upstream has its key from the settings');
}

export const ERROR_CODE_CLASSES = new Map<string, never>();

export function stringifyQuery(query: Record<string, string>): string {
  return String(new URLSearchParams(query));
}
