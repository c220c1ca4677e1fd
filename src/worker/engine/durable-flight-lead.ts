import type { Clock } from '../../core/clock.ts';
import type { FlightLead } from '../../state/flights.ts';
import type { RemoteCalls } from './remote-call.ts';
import type { RemoteFlightLead } from '../remote.ts';

/** A lead whose handle is in an object: what is said of it is told after the fact, and disposal says that it failed. */
export interface DurableLeadParts {
  readonly remote: RemoteFlightLead;
  readonly dispose: () => void;
  readonly calls: RemoteCalls;
  readonly clock: Clock;
  /** Once, before the object is told. */
  readonly onLanded: (sentAtMs: number) => void;
}

export function createDurableLead({ remote, dispose, calls, clock, onLanded }: DurableLeadParts): FlightLead {
  let sentAtMs = clock.wallMs();
  let state: 'leading' | 'landed' | 'over' = 'leading';
  return {
    sent() {
      if (state !== 'leading') return;
      sentAtMs = clock.wallMs();
      calls.tell(() => remote.sent());
    },
    landed() {
      if (state !== 'leading') return;
      state = 'landed';
      onLanded(sentAtMs);
      calls.tell(() => remote.landed());
    },
    failed() {
      if (state === 'over') return;
      state = 'over';
      dispose();
    },
  };
}
