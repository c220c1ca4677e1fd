import type { Context } from 'hono';

/**
 * An operator's token, the console's or that of /metrics, is sent as `Authorization: Bearer`. Its digest is compared, so
 * that the time this takes says nothing about the token.
 */
export interface OperatorToken {
  /** SHA-256 as lower-case hex; null: there is no token. */
  readonly digest: () => string | null;
  readonly sha256Hex: (text: string) => string;
}

/** False where there is no token. */
export function bringsToken(c: Context, { digest, sha256Hex }: OperatorToken): boolean {
  const token = /^Bearer +(.+)$/i.exec(c.req.header('authorization') ?? '')?.[1] ?? '';
  return sha256Hex(token) === digest();
}
