// Open streams: memory of each, delay of their events, CPU per event. Every proxy starts afresh, since a process that has
// carried 1 MB bodies keeps that memory and would hide what a stream takes. The mock itself is watched the same way in each
// round; what is added is the difference to it.

import { setTimeout as sleep } from 'node:timers/promises';

import type { Target } from './load-connection.ts';
import type { OpenResult, WatchResult } from './load-streams.ts';
import { rotated } from './measure-requests.ts';
import { cpuMsOf, memoryOf } from './process-figures.ts';
import type { Memory } from './process-figures.ts';
import type { Proxy } from './proxies/proxy.ts';
import { failureCount, say, startOrSay, targetOf } from './session.ts';
import type { Session } from './session.ts';

export interface StreamFigure {
  readonly proxy: string;
  readonly streams: number;
  readonly round: number;
  readonly opened: OpenResult;
  readonly watched: WatchResult;
  readonly addedP50Ms: number;
  readonly addedP99Ms: number;
  /** NaN for the mock itself, whose process is none of the compared. */
  readonly cpuUsPerEvent: number;
  readonly cpuUsToOpen: number;
  readonly memoryBefore: Memory;
  readonly memoryAfter: Memory;
  readonly kbPerStream: number;
}

export interface StreamPlan {
  readonly streams: number;
  readonly rounds: number;
  readonly watchMs: number;
  /** 1 MB calls a second beside the streams; 0 for none. */
  readonly burstPerSecond: number;
}

const OPEN_AT_ONCE = 64;
const SETTLE_MS = 2000;
const WARM_REQUESTS = 300;
const BURST_BODY_BYTES = 1024 * 1024;
const NO_MEMORY: Memory = { rssBytes: Number.NaN, pssBytes: Number.NaN };

export async function measureStreams(
  session: Session,
  proxies: readonly Proxy[],
  plan: StreamPlan,
): Promise<StreamFigure[]> {
  const figures: StreamFigure[] = [];
  for (let round = 1; round <= plan.rounds; round += 1) {
    const direct = await hold(session, 'direct', session.direct, undefined, plan, round);
    figures.push(direct);
    sayFigure(direct, plan);
    for (const proxy of rotated(proxies, round)) {
      const started = await startOrSay(session, proxy);
      if (started.kind === 'not-started') continue;
      const running = started.proxy;
      await warmUp(session, targetOf(running));
      const through = await hold(session, proxy.name, targetOf(running), running.pid, plan, round);
      await running.child.stop();
      const figure = { ...through, ...addedTo(direct, through) };
      figures.push(figure);
      sayFigure(figure, plan);
    }
  }
  return figures;
}

async function hold(
  session: Session,
  name: string,
  target: Target,
  pid: number | undefined,
  plan: StreamPlan,
  round: number,
): Promise<StreamFigure> {
  const cpuMs = (): number => (pid === undefined ? Number.NaN : cpuMsOf(pid));
  const memory = (): Memory => (pid === undefined ? NO_MEMORY : memoryOf(pid));
  const memoryBefore = memory();
  const beforeOpenMs = cpuMs();
  const opened = await session.openStreams({ target, streams: plan.streams, parallel: OPEN_AT_ONCE });
  const afterOpenMs = cpuMs();
  await sleep(SETTLE_MS);
  const memoryAfter = memory();
  const beforeWatchMs = cpuMs();
  const watched = await session.watch({
    watchMs: plan.watchMs,
    burstPerSecond: plan.burstPerSecond,
    burstBodyBytes: BURST_BODY_BYTES,
  });
  const afterWatchMs = cpuMs();
  await session.closeStreams();
  return {
    proxy: name,
    streams: plan.streams,
    round,
    opened,
    watched,
    addedP50Ms: 0,
    addedP99Ms: 0,
    cpuUsPerEvent: ((afterWatchMs - beforeWatchMs) * 1000) / watched.events,
    cpuUsToOpen: ((afterOpenMs - beforeOpenMs) * 1000) / opened.opened,
    memoryBefore,
    memoryAfter,
    kbPerStream: (memoryAfter.rssBytes - memoryBefore.rssBytes) / 1024 / opened.opened,
  };
}

function addedTo(direct: StreamFigure, through: StreamFigure): { addedP50Ms: number; addedP99Ms: number } {
  return {
    addedP50Ms: through.watched.delayMs.p50 - direct.watched.delayMs.p50,
    addedP99Ms: through.watched.delayMs.p99 - direct.watched.delayMs.p99,
  };
}

// Enough to compile what runs, few enough to leave little garbage in the heap, whose place the streams would take unseen.
async function warmUp(session: Session, target: Target): Promise<void> {
  const job = { target, bodyBytes: 2048, connections: 16, pauseMs: 0, capMs: 10_000 };
  await session.requests({ ...job, shape: 'json', requests: WARM_REQUESTS });
  await session.requests({ ...job, shape: 'sse-burst', requests: WARM_REQUESTS });
}

function sayFigure(figure: StreamFigure, plan: StreamPlan): void {
  const { watched, opened } = figure;
  const failed = failureCount(opened.failures) + failureCount(watched.burst.failures);
  const kept = `${opened.opened} open, ${watched.events} of ${watched.expectedEvents} events, ${watched.cutStreams} cut`;
  const delay = `delay ${watched.delayMs.p50.toFixed(2)} / ${watched.delayMs.p99.toFixed(2)} ms`;
  const reasons =
    failed === 0 ? '' : `  ${failed} FAILED: ${JSON.stringify({ ...opened.failures, ...watched.burst.failures })}`;
  const part = plan.burstPerSecond > 0 ? 'burst' : 'hold ';
  say(`${part} round ${figure.round}/${plan.rounds}  ${figure.proxy.padEnd(11)} ${kept}, ${delay}${reasons}`);
}
