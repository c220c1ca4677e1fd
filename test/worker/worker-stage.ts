import { afterEach } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { readMetrics, type MetricSamples } from '../support/metric-samples.ts';
import { connectRaw, requestBytes, type RawClient, type RequestParts } from '../support/raw-client.ts';
import { startScriptedUpstream, type ScriptedUpstream } from '../support/scripted-upstream.ts';
import { buildWorker } from '../support/worker-bundle.ts';
import { startWorkerd, type Workerd } from '../support/workerd.ts';

/** The deployed bundle in raw workerd, with as many isolates as a test wants, between raw clients and a scripted upstream. */
export interface WorkerStage {
  readonly upstream: ScriptedUpstream;
  readonly workerd: Workerd;
  /** @param isolate counted from 0. */
  connect(isolate?: number): Promise<RawClient>;
  open(parts: RequestParts, isolate?: number): Promise<RawClient>;
  metrics(isolate?: number): Promise<MetricSamples>;
  /** Waits until no slot is held and nobody waits for one, as the metrics page has it. */
  slotsFree(): Promise<void>;
}

export interface WorkerStageOptions {
  readonly settings: (upstreamUrl: string) => string;
  readonly isolates?: number;
  /** A module that is run in the Worker's place (test/support/workerd.ts). */
  readonly wrapperPath?: string;
}

const DEADLINE_MS = 10_000;

export function useWorkerStage(): (options: WorkerStageOptions) => Promise<WorkerStage> {
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanUp of cleanups.splice(0)) await cleanUp();
  });
  return async ({ settings, isolates = 1, wrapperPath }) => {
    const bundle = await buildWorker();
    const script = { ...bundle.script, ...(wrapperPath && { wrapperPath }) };
    const upstream = await startScriptedUpstream();
    const workerd = await startWorkerd({ script, isolates, texts: { SLIPSTREAM_CONFIG: settings(upstream.url) } });
    const clients: RawClient[] = [];
    cleanups.push(async () => {
      for (const client of clients) client.close();
      await workerd.stop();
      await upstream.close();
    });
    const portOf = (isolate: number): number => {
      const port = workerd.ports[isolate];
      if (port === undefined) throw new Error(`there is no isolate ${isolate}`);
      return port;
    };
    const stage: WorkerStage = {
      upstream,
      workerd,
      async connect(isolate = 0) {
        const client = await connectRaw(portOf(isolate));
        clients.push(client);
        return client;
      },
      async open(parts, isolate = 0) {
        const client = await stage.connect(isolate);
        client.send(requestBytes(parts));
        return client;
      },
      async metrics(isolate = 0) {
        const answer = await fetch(`http://127.0.0.1:${portOf(isolate)}/metrics`);
        return readMetrics(await answer.text());
      },
      slotsFree: () =>
        eventually('every slot is free and nobody waits', DEADLINE_MS, async () => {
          const metrics = await stage.metrics();
          return metrics.sum('slipstream_slots_in_use') === 0 && metrics.sum('slipstream_queue_depth') === 0;
        }),
    };
    return stage;
  };
}
