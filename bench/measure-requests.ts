// CPU per request and time to the first byte. All proxies stand ready at once and take turns cell by cell: A B C, then
// B C A, so that a busy minute of the machine meets each of them. Ratios are taken within a round, never across rounds.

import { setTimeout as sleep } from 'node:timers/promises';

import { requestsOf } from './cells.ts';
import type { Cell } from './cells.ts';
import { cpuMsOf } from './process-figures.ts';
import type { RunningProxy } from './proxies/proxy.ts';
import { failureCount, say, targetOf } from './session.ts';
import type { Failures, Session } from './session.ts';
import type { Quantiles } from './statistics.ts';

export interface CpuFigure {
  readonly proxy: string;
  readonly cell: string;
  readonly round: number;
  readonly calls: number;
  readonly cpuMsPerRequest: number;
  readonly wallMs: number;
  readonly failures: Failures;
}

export interface FirstByteFigure {
  readonly proxy: string;
  readonly cell: string;
  readonly round: number;
  readonly firstByteMs: Quantiles;
  readonly addedP50Ms: number;
  readonly addedP99Ms: number;
  readonly failures: Failures;
}

const CALL_CAP_MS = 25_000;
const WARM_REQUESTS = 1000;
const SETTLE_MS = 30;
const LOW_LOAD_PAUSE_MS = 2;
const LARGE_BODY_BYTES = 512 * 1024;

export async function measureCpu(
  session: Session,
  proxies: readonly RunningProxy[],
  cells: readonly Cell[],
  plan: { rounds: number; requests: number; connections: number },
): Promise<CpuFigure[]> {
  const figures: CpuFigure[] = [];
  await warmUp(session, proxies, cells, plan);
  for (let round = 1; round <= plan.rounds; round += 1) {
    for (const cell of cells) {
      for (const proxy of rotated(proxies, round)) {
        const figure = await cpuOfCell(session, proxy, cell, round, plan);
        figures.push(figure);
        say(`cpu  round ${round}/${plan.rounds}  ${cell.name.padEnd(15)} ${proxy.name.padEnd(11)} ${summary(figure)}`);
      }
    }
  }
  return figures;
}

export async function measureFirstByte(
  session: Session,
  proxies: readonly RunningProxy[],
  cells: readonly Cell[],
  plan: { rounds: number; requests: number },
): Promise<FirstByteFigure[]> {
  const figures: FirstByteFigure[] = [];
  for (let round = 1; round <= plan.rounds; round += 1) {
    for (const cell of cells) {
      const lowLoad = lowLoadOf(cell, plan.requests);
      const direct = await session.requests({ target: session.direct, ...lowLoad });
      for (const proxy of rotated(proxies, round)) {
        const through = await session.requests({ target: targetOf(proxy), ...lowLoad });
        const addedP50Ms = through.firstByteMs.p50 - direct.firstByteMs.p50;
        const addedP99Ms = through.firstByteMs.p99 - direct.firstByteMs.p99;
        const { firstByteMs, failures } = through;
        figures.push({ proxy: proxy.name, cell: cell.name, round, firstByteMs, addedP50Ms, addedP99Ms, failures });
        const added = `${addedP50Ms.toFixed(2)} / ${addedP99Ms.toFixed(2)} ms`;
        say(`ttfb round ${round}/${plan.rounds}  ${cell.name.padEnd(15)} ${proxy.name.padEnd(11)} ${added}`);
      }
      figures.push({
        proxy: 'direct',
        cell: cell.name,
        round,
        firstByteMs: direct.firstByteMs,
        addedP50Ms: 0,
        addedP99Ms: 0,
        failures: direct.failures,
      });
    }
  }
  return figures;
}

export function rotated<Item>(items: readonly Item[], by: number): Item[] {
  const cut = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(cut), ...items.slice(0, cut)];
}

// Uncounted: the first calls of a Node process run in the interpreter.
async function warmUp(
  session: Session,
  proxies: readonly RunningProxy[],
  cells: readonly Cell[],
  plan: { connections: number },
): Promise<void> {
  for (const cell of cells) {
    for (const proxy of proxies) {
      await session.requests({
        target: targetOf(proxy),
        bodyBytes: cell.bodyBytes,
        shape: cell.shape,
        requests: requestsOf(cell, WARM_REQUESTS),
        connections: plan.connections,
        pauseMs: 0,
        capMs: CALL_CAP_MS / 4,
      });
    }
  }
  say('warmed up');
}

async function cpuOfCell(
  session: Session,
  proxy: RunningProxy,
  cell: Cell,
  round: number,
  plan: { requests: number; connections: number },
): Promise<CpuFigure> {
  const beforeMs = cpuMsOf(proxy.pid);
  const result = await session.requests({
    target: targetOf(proxy),
    bodyBytes: cell.bodyBytes,
    shape: cell.shape,
    requests: requestsOf(cell, plan.requests),
    connections: plan.connections,
    pauseMs: 0,
    capMs: CALL_CAP_MS,
  });
  await sleep(SETTLE_MS);
  const cpuMsPerRequest = (cpuMsOf(proxy.pid) - beforeMs) / result.calls;
  const { calls, wallMs, failures } = result;
  return { proxy: proxy.name, cell: cell.name, round, calls, cpuMsPerRequest, wallMs, failures };
}

// A paced stream would make each sample wait for its end, so streams come in one write here: the first byte is the same.
function lowLoadOf(cell: Cell, requests: number): Omit<Parameters<Session['requests']>[0], 'target'> {
  return {
    bodyBytes: cell.bodyBytes,
    shape: cell.shape === 'json' ? 'json' : 'sse-burst',
    requests: cell.bodyBytes > LARGE_BODY_BYTES ? Math.ceil(requests / 2) : requests,
    connections: 1,
    pauseMs: LOW_LOAD_PAUSE_MS,
    capMs: CALL_CAP_MS,
  };
}

function summary(figure: CpuFigure): string {
  const failed = failureCount(figure.failures);
  const tail = failed === 0 ? '' : `  ${failed} FAILED: ${Object.keys(figure.failures)[0]}`;
  return `${figure.cpuMsPerRequest.toFixed(3)} ms × ${figure.calls}${tail}`;
}
