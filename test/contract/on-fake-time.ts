import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';
import type { ContractStage, MakeStage } from './stage.ts';

/** An engine of one process, on a clock that moves only when told to. */
export function onFakeTime<Port>(create: (clock: FakeClock) => Port): MakeStage<Port> {
  return async () => {
    const clock = createFakeClock();
    const port = create(clock);
    const isSoNow: ContractStage<Port>['until'] = async (label, isSo) => {
      await clock.advance(0);
      if (!(await isSo())) throw new Error(`it is not so: ${label}`);
    };
    return {
      ports: [port, port],
      nowMs: clock.nowMs,
      pass: clock.advance,
      until: isSoNow,
      remains: isSoNow,
      async cleanUp() {
        await clock.advance(0);
        if (clock.pending > 0) throw new Error(`${clock.pending} timers are left`); // each holds its request in memory
      },
    };
  };
}
