// One run's mock, load and log, handed to each measuring part. The mock's mode and the load's job always go together, so
// that a part cannot ask for streams while the mock answers JSON.

import { isStopping } from './child.ts';
import type { LoadJob, LoadResult } from './load.ts';
import type { Target } from './load-connection.ts';
import type { RequestsJob, RequestsResult } from './load-requests.ts';
import type { OpenJob, OpenResult, WatchJob, WatchResult } from './load-streams.ts';
import type { MockAnswer, MockMode, MockQuestion } from './mock-upstream.ts';
import type { Placement } from './machine.ts';
import type { Place, Proxy, RunningProxy } from './proxies/proxy.ts';
import { CALLER_HEADERS } from './proxies/proxy.ts';
import { startWorker } from './worker.ts';
import type { Worker } from './worker.ts';

export type Failures = Readonly<Record<string, number>>;

export interface Session {
  readonly place: Place;
  /** The mock without a proxy: what "added" is measured against. */
  readonly direct: Target;
  requests(job: Omit<RequestsJob, 'kind'>): Promise<RequestsResult>;
  openStreams(job: Omit<OpenJob, 'kind'>): Promise<OpenResult>;
  watch(job: Omit<WatchJob, 'kind'>): Promise<WatchResult>;
  closeStreams(): Promise<void>;
}

export async function openSession(placement: Placement, paceMs: number): Promise<Session> {
  const otherCores = placement.kind === 'pinned' ? placement.otherCores : undefined;
  const mock = startWorker<MockQuestion, MockAnswer>(new URL('./mock-upstream.ts', import.meta.url), otherCores);
  const load = startWorker<LoadJob, LoadResult>(new URL('./load.ts', import.meta.url), otherCores);
  const { port } = await mock.ask({ kind: 'listen', paceMs });
  const inMode = async <Job extends LoadJob>(mode: MockMode, job: Job): Promise<ResultOf<Job>> => {
    await mock.ask({ kind: 'mode', mode });
    return askLoad(load, job);
  };
  return {
    place: { upstreamPort: port, core: placement.kind === 'pinned' ? placement.proxyCore : undefined },
    direct: { port, headers: CALLER_HEADERS },
    requests: (job) => inMode(job.shape, { kind: 'requests', ...job }),
    openStreams: (job) => inMode('hold', { kind: 'open', ...job }),
    watch: (job) => inMode('hold', { kind: 'watch', ...job }),
    closeStreams: async () => {
      await askLoad(load, { kind: 'close' });
    },
  };
}

export function targetOf(proxy: RunningProxy): Target {
  return { port: proxy.port, headers: proxy.headers };
}

/** A proxy that does not start is said loudly and left out; the others are measured. */
export async function startOrSay(
  session: Session,
  proxy: Proxy,
): Promise<{ kind: 'started'; proxy: RunningProxy } | { kind: 'not-started' }> {
  try {
    return { kind: 'started', proxy: await proxy.start(session.place) };
  } catch (error) {
    if (isStopping()) throw error;
    say(`!!! ${proxy.name} IS NOT MEASURED: ${(error as Error).message}`);
    return { kind: 'not-started' };
  }
}

export function failureCount(failures: Failures): number {
  return Object.values(failures).reduce((sum, times) => sum + times, 0);
}

export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

type ResultOf<Job extends LoadJob> = Extract<LoadResult, { kind: Job['kind'] }>;

async function askLoad<Job extends LoadJob>(load: Worker<LoadJob, LoadResult>, job: Job): Promise<ResultOf<Job>> {
  const result = await load.ask(job);
  if (result.kind !== job.kind) throw new Error(`the load answered ${result.kind} to ${job.kind}`);
  return result as ResultOf<Job>;
}
