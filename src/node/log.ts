import pino, { type Logger } from 'pino';
import { recordLine } from '../pipeline/record-line.ts';
import type { ExchangeRecord } from '../pipeline/with-metering.ts';

/** One JSON line per request on stdout: who, what, how long, how much. */
export function createLog(): Logger {
  return pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ dest: 1, sync: false }));
}

export function logRecord(log: Logger, record: ExchangeRecord): void {
  log.info(recordLine(record));
}
