import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/node/system-clock.ts';
import { parseSettings, startGateway } from '../support/gateway-on-node.ts';

const CLOSE_MS = 3_000;
const TOKEN = 'a-token-of-the-scraper';
const withToken = (token: string): string => `metrics: { token: ${token} }\n`;

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanups.splice(0)) await cleanUp();
});

async function start(settings: string) {
  const { gateway, server } = await startGateway(settings, systemClock);
  cleanups.push(async () => {
    await server.close(CLOSE_MS);
    await gateway.close();
  });
  return {
    reload(next: string) {
      const { config, secrets } = parseSettings(next);
      gateway.reload(config, secrets);
    },
    scrape: (authorization?: string, path = '/metrics') =>
      fetch(`http://127.0.0.1:${server.port}${path}`, {
        headers: authorization === undefined ? {} : { authorization },
      }),
  };
}

describe('metrics.token', () => {
  it('opens /metrics', async () => {
    const { scrape } = await start(withToken(TOKEN));
    const answer = await scrape(`Bearer ${TOKEN}`);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('# TYPE slipstream_requests_total counter');
  });

  it.each([undefined, '', TOKEN, 'Bearer ', 'Bearer a-token', `Bearer ${TOKEN}x`, `Basic ${TOKEN}`])(
    'without it nothing is shown but what to send (%j)',
    async (authorization) => {
      const { scrape } = await start(withToken(TOKEN));
      const answer = await scrape(authorization);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      expect(answer.headers.get('x-slipstream-id')).toMatch(/^slip_/);
      expect(await answer.text()).toBe('Send Authorization: Bearer <metrics.token>.\n');
    },
  );

  it('protects nothing else', async () => {
    const { scrape } = await start(withToken(TOKEN));
    for (const path of ['/healthz', '/readyz']) expect((await scrape(undefined, path)).status).toBe(200);
  });

  it('that is not set leaves /metrics open', async () => {
    const { scrape } = await start('');
    expect((await scrape()).status).toBe(200);
  });

  it('that a reload has changed counts from the next scrape on', async () => {
    const { scrape, reload } = await start(withToken(TOKEN));
    reload(withToken('another-token-of-the-scraper'));
    expect((await scrape(`Bearer ${TOKEN}`)).status).toBe(401);
    expect((await scrape('Bearer another-token-of-the-scraper')).status).toBe(200);
    reload('');
    expect((await scrape()).status).toBe(200);
  });
});
