import { hasRedisServer, startRedisServer } from '../support/redis-server.ts';

/** One redis-server for all test files of a run, unless `SLIPSTREAM_TEST_STATE` names one. */
export async function setup(): Promise<() => Promise<void>> {
  if (!hasRedisServer || process.env['SLIPSTREAM_TEST_STATE'] !== undefined) return async () => {};
  const server = await startRedisServer();
  process.env['SLIPSTREAM_TEST_STATE'] = server.url; // the workers of the run inherit it
  return () => server.close();
}
