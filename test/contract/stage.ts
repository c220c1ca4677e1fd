import { afterEach } from 'vitest';
import type { SlotCount } from '../../src/state/slots.ts';
import { eventually } from '../support/eventually.ts';

/**
 * The contract suites: one for each port of src/state, run on every engine. A suite knows a port by two ways to the same
 * state (two replicas, two isolates; where there is one process, the same port twice) and by how time goes by there.
 * It asks nothing of an engine that its port does not promise, and waits for what a port says of another process's deeds.
 *
 * To run them on an engine: `slotsContract('slots', make)` in a file of vitest's, with a function that makes a new stage for
 * each test. `shared…` is for engines of several processes, `local…` for what is known where it was asked, `…Model` compares
 * with a model after random steps. They import neither Node's modules nor an engine: the same lines run inside workerd.
 */
export interface ContractStage<Port> {
  readonly ports: readonly [Port, Port];
  /** Milliseconds of the engine's time; only differences mean anything. */
  nowMs(): number;
  /** Lets so much of the engine's time go by. */
  pass(ms: number): Promise<void>;
  /** Waits until it is so: with time that stands still at once, else within a deadline. */
  until(label: string, isSo: () => boolean | Promise<boolean>): Promise<void>;
  /** It is so, and is still so when everything that was asked has had its effect. */
  remains(label: string, isSo: () => boolean | Promise<boolean>): Promise<void>;
  /** What the engine itself counts under a name, where it is not the ports that do: each isolate knows a part, or none. */
  standing?(name: string): Promise<Pick<SlotCount, 'inUse' | 'waiting'>>;
  /** Ends the engine. Throws when something of it is left, such as a timer. */
  cleanUp(): Promise<void>;
}

export type MakeStage<Port> = () => Promise<ContractStage<Port>>;

/** Call once in a suite; what a test makes is cleaned up after it. */
export function useStages<Port>(make: MakeStage<Port>): MakeStage<Port> {
  const stages: ContractStage<Port>[] = [];
  afterEach(async () => {
    for (const stage of stages.splice(0)) await stage.cleanUp();
  });
  return async () => {
    const stage = await make();
    stages.push(stage);
    return stage;
  };
}

/** Longer than a lost message takes to be noticed, on a busy machine as well; less than a lease lives. */
const DEADLINE_MS = 12_000;
/** Many round trips on loopback: what should not happen would have by then. */
const STILL_MS = 25;

/** An engine in other processes, whose clock is that of the world. */
export function onRealTime<Port>(
  ports: readonly [Port, Port],
  cleanUp: () => Promise<void>,
  stillMs = STILL_MS,
): ContractStage<Port> {
  const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  const until: ContractStage<Port>['until'] = (label, isSo) => eventually(label, DEADLINE_MS, isSo);
  return {
    ports,
    nowMs: () => performance.now(),
    pass,
    until,
    async remains(label, isSo) {
      await until(label, isSo);
      await pass(stillMs);
      if (!(await isSo())) throw new Error(`it was so, and is no longer: ${label}`);
    },
    cleanUp,
  };
}
