import type { ConsoleAssets } from '../../http/console-page.ts';
import type { WorkerEnvironment } from '../environment.ts';

/** The console's page, from the files that are deployed with the Worker: as part of its code they would make that a third larger. */
export function consoleAssets({ ASSETS }: Pick<WorkerEnvironment, 'ASSETS'>): ConsoleAssets {
  return async (name) => {
    const answer = await ASSETS.fetch(`https://assets.invalid/${encodeURIComponent(name)}`);
    const [contentType, etag] = [answer.headers.get('content-type'), answer.headers.get('etag')];
    if (answer.status === 200 && contentType && etag) return { bytes: await answer.bytes(), contentType, etag };
    await answer.body?.cancel();
    return null;
  };
}
