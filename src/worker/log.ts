import type { Problem } from '../config/config.ts';
import { renderProblems } from '../config/render-problems.ts';
import { recordLine } from '../pipeline/record-line.ts';
import type { ExchangeRecord } from '../pipeline/exchange-record.ts';

/** One JSON object per line for Workers Logs: who, what, how long, how much. Never a prompt, an answer or a key. */
export function logRecord(record: ExchangeRecord): void {
  write(recordLine(record));
}

export function logInternalError(error: unknown, requestId: string): void {
  write({
    id: requestId,
    message: 'internal error',
    error: error instanceof Error ? (error.stack ?? error.message) : String(error),
  });
}

export function logBreaker(upstream: string, from: string, to: string): void {
  write({ message: 'upstream', upstream, from, to });
}

export function logProblems(problems: readonly Problem[]): void {
  write({ message: 'settings', problems: renderProblems(problems) });
}

function write(line: Readonly<Record<string, unknown>>): void {
  console.log(JSON.stringify(line)); // oxlint-disable-line no-console -- a Worker has no other output
}
