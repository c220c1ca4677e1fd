/** What the console says: figures, or why not and what would help. Nobody keeps a copy of either. */
const PRIVATE = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

export function json(value: object, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return Response.json(value, { status, headers: { ...PRIVATE, ...headers } });
}

export function refused(status: number, error: string, headers: Readonly<Record<string, string>> = {}): Response {
  return json({ error }, status, headers);
}
