// The load: a process of its own that does the jobs the runner gives it, one after the other.

import { runRequests } from './load-requests.ts';
import type { RequestsJob, RequestsResult } from './load-requests.ts';
import { closeStreams, openStreams, watchStreams } from './load-streams.ts';
import type { OpenJob, OpenResult, WatchJob, WatchResult } from './load-streams.ts';
import { serveRunner } from './worker-side.ts';

export type LoadJob = RequestsJob | OpenJob | WatchJob | { readonly kind: 'close' };
export type LoadResult = RequestsResult | OpenResult | WatchResult | { readonly kind: 'close' };

serveRunner<LoadJob, LoadResult>(async (job) => {
  switch (job.kind) {
    case 'requests':
      return runRequests(job);
    case 'open':
      return openStreams(job);
    case 'watch':
      return watchStreams(job);
    default:
      closeStreams();
      return { kind: 'close' };
  }
});
