import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { connectRaw, requestBytes } from '../support/raw-client.ts';
import { startScriptedUpstream } from '../support/scripted-upstream.ts';
import { startWorkerd, type WorkerdOptions, type WorkerScript } from '../support/workerd.ts';

/** What the other tests of this folder lean on, shown with a worker that has nothing of the gateway in it. */
const STUB: WorkerScript = {
  modulePath: fileURLToPath(new URL('stub-worker.js', import.meta.url)),
  compatibilityDate: '2026-10-01',
  compatibilityFlags: ['enable_request_signal'],
  objects: [{ binding: 'COUNTER', className: 'Counter' }],
};

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanups.splice(0)) await cleanUp();
});

async function start(options: Partial<WorkerdOptions> = {}) {
  const upstream = await startScriptedUpstream();
  const workerd = await startWorkerd({
    script: STUB,
    texts: { UPSTREAM: upstream.url, GREETING: 'a "quoted"\nöne' },
    ...options,
  });
  cleanups.push(workerd.stop, upstream.close);
  return { upstream, workerd };
}

const get = (port: number | undefined, path: string) => fetch(`http://127.0.0.1:${port}${path}`);

describe('raw workerd', () => {
  it('gives every isolate its own memory and all of them the same durable objects', async () => {
    const { workerd } = await start({ isolates: 2 });
    const [first, second] = workerd.ports;
    const answers = [await get(first, '/count'), await get(first, '/count'), await get(second, '/count')];
    expect(await Promise.all(answers.map((answer) => answer.json()))).toEqual([
      { count: 1, servedHere: 1, greeting: 'a "quoted"\nöne' },
      { count: 2, servedHere: 2, greeting: 'a "quoted"\nöne' },
      { count: 3, servedHere: 1, greeting: 'a "quoted"\nöne' },
    ]);
  });

  it('lets a worker reach loopback and no further', async () => {
    const { workerd } = await start();
    const answer = await get(workerd.ports[0], '/away');
    expect(answer.status).toBe(502);
  });

  it.each(['fin', 'reset'] as const)('tells the upstream of a client that ends by %s in mid-stream', async (how) => {
    const { upstream, workerd } = await start();
    const client = await connectRaw(workerd.ports[0] as number);
    client.send(requestBytes({ method: 'GET', target: '/stream' }));
    const call = await upstream.call(0);
    call.sse();
    call.write('data: 1\n\n');
    await client.body('the first event arrives', (text) => text.includes('data: 1'));
    if (how === 'fin') client.close();
    else client.reset();
    await eventually('the upstream call is closed', 10_000, () => {
      call.write('data: 2\n\n');
      return call.state === 'closed';
    });
  });

  it('tells the upstream of a client that resets before any answer', async () => {
    const { upstream, workerd } = await start();
    const client = await connectRaw(workerd.ports[0] as number);
    client.send(requestBytes({ method: 'GET', target: '/stream' }));
    const call = await upstream.call(0);
    client.reset();
    await eventually('the upstream call is closed', 10_000, () => call.state === 'closed');
  });
});
