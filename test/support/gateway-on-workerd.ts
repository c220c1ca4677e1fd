import { fileURLToPath } from 'node:url';
import type { Clock } from '../../src/core/clock.ts';
import { systemClock } from '../../src/node/system-clock.ts';
import { eventually } from './eventually.ts';
import type { ClockFollower, FakeClock } from './fake-clock.ts';
import { readMetrics } from './metric-samples.ts';
import { recordOfLine } from './records-of-log.ts';
import type { RunningGateway, SlotCounts } from './running-gateway.ts';
import { buildWorker } from './worker-bundle.ts';
import { startWorkerd, type WorkerdOptions, type WorkerScript } from './workerd.ts';

/**
 * The gateway as the bundle that is deployed, in a workerd of its own. It is another process: what it did is read off its
 * log and its metrics page, and a clock that a test holds is followed there.
 */
const POLL_INTERVAL_MS = 25;
/** Figures are pushed, budgets and places stored at most that long after an exchange, by timers of the worker’s own. */
const AT_REST_AFTER_MS = 5_000;
const SETTLE_DEADLINE_MS = 10_000;
/** What the gateway reports, and what the runtime says of a promise that nobody waits for or a request without an end. */
const INTERNAL_ERROR = /"message":"internal error"|Uncaught \(in promise\)|had hung|never generate a response/;

export async function startOnWorkerd(settings: string, clock: Clock): Promise<RunningGateway> {
  const { script } = await buildWorker();
  const texts = { SLIPSTREAM_CONFIG: settings };
  const isHeld = clock !== systemClock;
  const workerd = await startWorkerd(isHeld ? held(script, texts, clock) : { script, texts });
  const port = workerd.ports[0] as number;
  const time = isHeld ? followClock(port, clock as FakeClock) : null;
  const page = (): Promise<string> => get(port, '/metrics');
  const stopHearing = time ? hearOf(time) : async () => {};
  return {
    port,
    get records() {
      return workerd.lines.flatMap((line) => recordOfLine(line) ?? []);
    },
    get internalErrors() {
      return workerd.lines.filter((line) => INTERNAL_ERROR.test(line));
    },
    metricsPage: () => settled(page),
    tenantSlots: async () => slotCounts(await page(), 'tenant'),
    upstreamSlots: async () => slotCounts(await page(), 'upstream'),
    comeToRest: async () => {
      if (isHeld) await (clock as FakeClock).advance(AT_REST_AFTER_MS);
      await time?.nextDueMs();
    },
    ownGuards: {},
    get inProcess(): never {
      throw new Error('the gateway is in another process: list the test as a gap');
    },
    async close() {
      await stopHearing();
      await workerd.stop();
      return { cutConnections: 0 };
    },
  };
}

async function get(port: number, path: string): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
  return text;
}

/** Figures reach the metrics object a moment after the answer: two pages that say the same are the truth. */
async function settled(page: () => Promise<string>): Promise<string> {
  let last = await page();
  await eventually('the metrics stand still', SETTLE_DEADLINE_MS, async () => {
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
    const next = await page();
    const isSame = next === last;
    last = next;
    return isSame;
  });
  return last;
}

function slotCounts(page: string, scope: 'tenant' | 'upstream'): SlotCounts {
  const samples = readMetrics(page);
  const counts = [...samples.valuesOf('name')].map((name) => {
    const of = { scope, name };
    const inUse = samples.sum('slipstream_slots_in_use', of);
    const waiting = samples.sum('slipstream_queue_depth', of);
    return [name, { inUse, waiting, limit: samples.sum('slipstream_slots_limit', of) }] as const;
  });
  return new Map(counts.filter(([, { inUse, waiting }]) => inUse > 0 || waiting > 0));
}

/** Its timers come and go by themselves: how many are set is asked again and again. */
function hearOf(time: ClockFollower): () => Promise<void> {
  const over = new AbortController();
  const polling = (async () => {
    while (!over.signal.aborted) {
      await time.nextDueMs();
      await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
    }
  })();
  return async () => {
    over.abort();
    await polling;
  };
}

const WRAPPER_PATH = fileURLToPath(new URL('held-clock.js', import.meta.url));

/** The deployed module behind one that holds its time. */
function held(script: WorkerScript, texts: Readonly<Record<string, string>>, clock: Clock): WorkerdOptions {
  const nowMs = clock.nowMs();
  return {
    script: { ...script, wrapperPath: WRAPPER_PATH },
    texts: { ...texts, HELD_CLOCK_NOW_MS: String(nowMs), HELD_CLOCK_ZERO_MS: String(clock.wallMs() - nowMs) },
  };
}

function followClock(port: number, clock: FakeClock): ClockFollower {
  let pending = 0;
  const tell = async (to: string): Promise<number | null> => {
    const told = JSON.parse(await get(port, `/held-clock?to=${to}`)) as { nextDueMs: number | null; pending: number };
    pending = told.pending;
    return told.nextDueMs;
  };
  const follower: ClockFollower = {
    get pending() {
      return pending;
    },
    nextDueMs: () => tell(''),
    moveTo: async (nowMs) => void (await tell(String(nowMs))),
  };
  clock.follow(follower);
  return follower;
}
