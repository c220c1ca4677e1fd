import { introduction } from '../demo/introduction.ts';
import { liveRows } from '../demo/live-table.ts';
import { createScreen, widthOf } from '../demo/screen.ts';
import { startStage, type Stage } from '../demo/stage.ts';
import { stopSignal } from '../demo/stop-signal.ts';
import { isClean, renderSummary } from '../demo/summary.ts';
import { systemClock } from '../system-clock.ts';

export interface DemoCommandOptions {
  /** null: until SIGTERM or SIGINT. */
  readonly seconds: number | null;
  /** Where it is taken, the next free one. */
  readonly port: number;
}

/**
 * `slipstream demo`: gateway, simulator and six sample tenants with live traffic, in this process. Resolves with the exit
 * code: 1 where a request failed that should not have.
 */
export async function demo({ seconds, port }: DemoCommandOptions): Promise<number> {
  const stop = stopSignal();
  const stage = await startStage(port);
  const startedAtMs = systemClock.nowMs();
  const portTaken = port !== 0 && stage.gatewayPort !== port ? port : null;
  process.stdout.write(introduction({ ...stage, portTaken }, process.env));
  const stopShowing = showFigures(stage, startedAtMs);
  await Promise.race([stop.received, readerGone(), ...(seconds === null ? [] : [elapsed(seconds)])]);
  stopShowing();
  const runMs = systemClock.nowMs() - startedAtMs;
  const result = { seconds: runMs / 1000, ...(await stage.close()) };
  stop.forget();
  process.stdout.write(`\n${renderSummary(result, widthOf(process.stdout)).join('\n')}\n`);
  return isClean(result) ? 0 : 1;
}

function showFigures(stage: Stage, startedAtMs: number): () => void {
  const screen = createScreen(process.stdout, process.env);
  let isOver = false;
  const show = async (): Promise<void> => {
    const readings = await stage.readings();
    if (isOver) return;
    const nowMs = systemClock.nowMs();
    screen.show(liveRows(readings, nowMs), nowMs - startedAtMs);
    cancel = systemClock.after(screen.everyMs, () => void show());
  };
  let cancel = systemClock.after(screen.everyMs, () => void show());
  return () => {
    isOver = true;
    cancel();
  };
}

function elapsed(seconds: number): Promise<void> {
  return new Promise((resolve) => systemClock.after(seconds * 1000, resolve));
}

/** Whoever read the output has gone (`demo | head`): there is nobody left to show anything to. */
function readerGone(): Promise<void> {
  return new Promise((resolve) => process.stdout.on('error', () => resolve()));
}
