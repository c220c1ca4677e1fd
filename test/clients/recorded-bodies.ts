import { createReadStream, existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';

/**
 * Bodies of recorded conversations, which are not a part of this repository: they are looked for beside it. Where they
 * are not, the tests that need them are skipped, and one loud line says so.
 */
const FILE = resolve(import.meta.dirname, '../../../shared/traces/tau-airline.bodies.jsonl.gz');

export interface RecordedRequest {
  readonly session: string;
  readonly turn: number;
  /** Exactly as it stands in the file. */
  readonly body: string;
}

export function hasRecordedBodies(skipped: string): boolean {
  const isThere = existsSync(FILE);
  if (!isThere) console.error(`SKIPPED: ${skipped}, for ../shared/traces/${basename(FILE)} is not there`);
  return isThere;
}

/** The requests of the first sessions, in their order. */
export async function recordedRequests(sessions: number): Promise<RecordedRequest[]> {
  const requests: RecordedRequest[] = [];
  const names = new Set<string>();
  const lines = createInterface({ input: createReadStream(FILE).pipe(createGunzip()) });
  for await (const line of lines) {
    const { session, turn } = JSON.parse(line) as { session: string; turn: number };
    if (names.add(session).size > sessions) break;
    requests.push({ session, turn, body: bodyOf(line) });
  }
  return requests;
}

/** The value of the line's last field, uncut and unparsed. */
function bodyOf(line: string): string {
  const name = '"request":';
  return line.slice(line.indexOf(name) + name.length, -1).trim();
}
