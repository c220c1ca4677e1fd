import pino, { type DestinationStream, type Logger } from 'pino';
import { recordLine } from '../pipeline/record-line.ts';
import type { ExchangeRecord } from '../pipeline/exchange-record.ts';

/** One JSON line per request, on stdout unless told otherwise: who, what, how long, how much. */
export function createLog(destination: DestinationStream = pino.destination({ dest: 1, sync: false })): Logger {
  return pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}

export function logRecord(log: Logger, record: ExchangeRecord): void {
  log.info(recordLine(record));
}
