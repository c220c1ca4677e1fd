// The soak's time: an hour of the gateway and the simulator is a minute of the machine. Both live by their clock port alone,
// so a few minutes see cache entries expire, hours of learning come and go, and pauses in their natural proportion.

import type { Clock } from '../../src/core/clock.ts';

export const SPEED = 60;

export function fastClock(clock: Clock, speed = SPEED): Clock {
  const startWallMs = clock.wallMs();
  const startMs = clock.nowMs();
  const passedMs = (): number => (clock.nowMs() - startMs) * speed;
  return {
    nowMs: passedMs,
    wallMs: () => startWallMs + passedMs(),
    after: (delayMs, run) => clock.after(delayMs / speed, run),
  };
}
