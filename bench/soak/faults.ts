// The faults of a soak: 5 % of the calls that reach the simulator, dealt by its own fault desk. A desk asks one order after
// the other, so an order's rate is a share of what those before it left; at these rates the difference is under a tenth.

import type { FaultOrder } from '../../src/simulator/faults/fault-desk.ts';

/** Parts of the whole; what strikes in the middle of an answer comes more often than what a retry mends. */
const FAULT_PARTS: ReadonlyArray<readonly [fault: string, parts: number]> = [
  ['529', 10],
  ['500', 6],
  ['html-502', 2],
  ['429;retry-after=5', 1],
  ['429;retry-after-ms=500', 3],
  ['cut;after=headers', 2],
  ['cut;after=0', 2],
  ['cut;after=3', 5],
  ['cut;after=9', 3],
  ['end-early;after=0', 2],
  ['end-early;after=4', 4],
  ['error-in-stream;after=0', 3],
  ['error-in-stream;after=0;type=api_error', 2],
  ['error-in-stream;after=5', 5],
  ['stall;after=2;ms=20000', 4],
  ['stall-headers;ms=8000', 3],
  ['gzip', 1],
  ['tiny-chunks;bytes=11', 1],
  ['crlf', 1],
];

export function faultOrders(share: number): FaultOrder[] {
  const whole = FAULT_PARTS.reduce((sum, [, parts]) => sum + parts, 0);
  return FAULT_PARTS.map(([fault, parts]) => ({ fault, rate: (share * parts) / whole }));
}
