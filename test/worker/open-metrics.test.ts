import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { managed } from '../support/gateway-under-test.ts';
import { useWorkerStage } from './worker-stage.ts';

/** Every path of a Worker is public, /metrics among them. */
const start = useWorkerStage();
const TOKEN = 'a-token-of-the-scraper';
const DEADLINE_MS = 10_000;

async function scrape(settings: string, authorization?: string) {
  const { workerd } = await start({ settings: (url) => managed()(url) + settings });
  const headers = authorization === undefined ? {} : { authorization };
  const { status } = await fetch(`http://127.0.0.1:${workerd.ports[0]}/metrics`, { headers });
  return { status, workerd };
}

describe('/metrics of a Worker', () => {
  it('is open without a token, and the log says so', async () => {
    const { status, workerd } = await scrape('');
    expect(status).toBe(200);
    await eventually('the log says so', DEADLINE_MS, () =>
      workerd.lines.some((line) => line.includes('metrics.token: is not set')),
    );
  });

  it('is opened by metrics.token', async () => {
    expect((await scrape(`metrics: { token: ${TOKEN} }`, `Bearer ${TOKEN}`)).status).toBe(200);
  });

  it('is closed without it', async () => {
    expect((await scrape(`metrics: { token: ${TOKEN} }`)).status).toBe(401);
  });
});
