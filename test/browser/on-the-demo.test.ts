import { mkdir, readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SAMPLE_TENANTS } from '../../src/node/demo/sample-tenants.ts';
import { startStage, type Stage } from '../../src/node/demo/stage.ts';
import { eventually } from '../support/eventually.ts';
import { seriousFindings } from './axe.ts';
import { chromiumPath } from './chromium.ts';
import { drawnIn } from './drawing.ts';
import { usePage } from './page-under-test.ts';

/**
 * The operator's page in a real browser, on the demo's gateway with its live traffic: what is shown, and that it moves.
 * `npm run screenshots` runs the same tests for longer and keeps what they saw for docs/console.md.
 */
const KEEPS_SCREENSHOTS = process.env['SCREENSHOTS'] === 'yes';
const IMAGES = new URL('../../docs/images/', import.meta.url);
const DEADLINE_MS = 60_000;
const FILLED_AFTER_MS = 150_000;
/** Of all views one look; of one view all looks. */
const KEPT = [
  'live-light-1280',
  'live-dark-1280',
  'live-light-360',
  'requests-light-1280',
  'story-light-1280',
  'prefixes-light-1280',
  'tenants-light-1280',
  'upstreams-light-1280',
  'savings-light-1280',
];
const VIEWS = ['live', 'requests', 'prefixes', 'tenants', 'upstreams', 'savings'];
const LOOKS = (['light', 'dark'] as const).flatMap((colorScheme) => [
  { colorScheme, width: 1280 },
  { colorScheme, width: 360 },
]);

describe.skipIf(chromiumPath === null)('the console in a browser', { timeout: 2 * DEADLINE_MS }, () => {
  const underTest = usePage();
  let stage: Stage;
  let page: Page;

  beforeAll(async () => {
    stage = await startStage(0);
    if (KEEPS_SCREENSHOTS) await new Promise((resolve) => setTimeout(resolve, FILLED_AFTER_MS)); // charts with a shape
  }, 2 * FILLED_AFTER_MS);
  afterAll(() => stage?.close());
  beforeEach(() => {
    ({ page } = underTest);
  });

  const open = async (view = 'live'): Promise<void> => {
    await page.goto(`${stage.gatewayUrl}/console#token=${stage.consoleToken}`);
    await page.getByRole('navigation', { name: 'Views' }).waitFor();
    await page.goto(`${stage.gatewayUrl}/console#/${view}`);
    await page.locator('main h1').first().waitFor({ state: 'attached' });
  };
  const rowsOf = (name: string) => page.getByRole('table', { name }).locator('tbody tr');

  it('opens with the token of its link, and the token leaves the address', async () => {
    await open();
    expect(page.url()).not.toContain(stage.consoleToken);
    expect(await page.title()).toContain('Slipstream');
  });

  it('asks for a token, says so when it is wrong, and opens with the right one', async () => {
    underTest.expectNote(/\b401\b/);
    await page.goto(`${stage.gatewayUrl}/console`);
    const field = page.getByLabel('Console token');
    await field.fill('a wrong one');
    await page.keyboard.press('Enter');
    await page.getByText('does not accept this token').waitFor();
    await field.fill(stage.consoleToken);
    await page.keyboard.press('Enter');
    await page.getByRole('navigation', { name: 'Views' }).waitFor();
  });

  it('shows requests on their way, and their figures move', async () => {
    await open();
    const list = rowsOf('Open requests');
    await eventually('requests are listed', DEADLINE_MS, async () => (await list.count()) > 1);
    const before = await list.allInnerTexts();
    await eventually('the list has moved', DEADLINE_MS, async () => {
      return (await list.allInnerTexts()).join('\n') !== before.join('\n');
    });
    const rate = page.getByText(/^≈ [\d.,]+/).first();
    await rate.waitFor({ timeout: DEADLINE_MS });
  });

  it('draws charts that are not blank and go on', async () => {
    await open();
    const charts = page.locator('figure.chart canvas');
    await eventually('every chart has lines', DEADLINE_MS, async () => {
      const drawings = await drawnIn(charts);
      return drawings.length === 4 && drawings.every(({ colors, drawnPixels }) => colors > 2 && drawnPixels > 500);
    });
    const before = await drawnIn(charts);
    await eventually('every chart has gone on', DEADLINE_MS, async () => {
      const after = await drawnIn(charts);
      return after.every(({ fingerprint }, at) => fingerprint !== before[at]?.fingerprint);
    });
  });

  it('tells a request’s own story: when, why the cache did what it did, and what it cost', async () => {
    await open('requests?tenant=chat&cache=hit'); // that marks nothing itself
    const first = rowsOf('Requests').getByRole('link').first();
    await first.click({ timeout: DEADLINE_MS });
    await page.getByRole('heading', { name: 'Timeline' }).waitFor();
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toMatch(/^Request /);
    const steps = page.locator('.timeline li');
    expect(await steps.count()).toBeGreaterThan(1);
    expect(await steps.allInnerTexts()).toEqual(expect.arrayContaining([expect.stringMatching(/\d ms/)]));
    await page.getByRole('heading', { name: 'Calls to upstreams' }).waitFor();
    expect(await page.locator('.breakpoints li').first().innerText()).toMatch(/^\S+ for (5m|1h): \S+ \S+/);
    await keep('story-light-1280');
    const address = page.url();
    await page.goBack();
    await rowsOf('Requests').first().waitFor();
    await page.goto(address);
    await page.getByRole('heading', { name: 'Timeline' }).waitFor(); // its link can be sent to somebody
  });

  it('shows the prefixes that tenants share, and their warmth runs out before one’s eyes', async () => {
    await open('prefixes');
    const warm = page.locator('tr.warm');
    await eventually('a prefix is warm', DEADLINE_MS, async () => (await warm.count()) > 0);
    const before = await warm.first().innerText();
    await eventually('its countdown moves', DEADLINE_MS, async () => (await warm.first().innerText()) !== before);
  });

  it('exports savings as CSV, which adds up to the page’s total', async () => {
    await open('savings');
    const saving = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export CSV' }).click();
    const download = await saving;
    expect(download.suggestedFilename()).toMatch(/^slipstream-savings-\d{4}-\d\d-\d\d\.csv$/);
    const [head = '', ...rows] = (await readFile(await download.path(), 'utf8')).trim().split('\r\n');
    const column = head.split(',').indexOf('saved net (USD)');
    expect(column).toBeGreaterThan(0);
    const sumUsd = rows.reduce((sum, row) => sum + Number(row.split(',')[column]), 0);
    expect(sumUsd).toBeGreaterThan(0);
    await eventually('the page has caught up', DEADLINE_MS, async () => {
      const shown = await page.locator('tfoot td').nth(-2).innerText();
      return Number(shown.replace(/[^\d.-]/g, '')) >= Math.floor(sumUsd * 100) / 100;
    });
  });

  it('can be walked through with the keyboard alone', async () => {
    await open();
    await page.locator('body').press('Tab');
    await page.keyboard.press('Tab');
    const focused = (): Promise<string> => page.evaluate<string>('document.activeElement?.textContent ?? ""');
    const seen: string[] = [];
    for (let count = 0; count < 8; count++) {
      seen.push(await focused());
      await page.keyboard.press('Tab');
    }
    expect(seen.join(' ')).toMatch(/Requests.*Prefixes.*Tenants.*Upstreams.*Savings/);
  });

  describe.each(LOOKS)('in $colorScheme, $width px wide', ({ colorScheme, width }) => {
    it('has nothing serious for axe-core in any view, and nothing wider than the window', async () => {
      page = await underTest.reopen({ colorScheme, viewport: { width, height: 900 } });
      await open();
      await eventually(
        'there is something to see',
        DEADLINE_MS,
        async () => (await rowsOf('Open requests').count()) > 0,
      );
      for (const view of VIEWS) {
        await page.goto(`${stage.gatewayUrl}/console#/${view}`);
        await page.locator(`header nav a[href^="#/${view}"][aria-current="page"]`).waitFor();
        await page.locator('main table, main figure').first().waitFor();
        expect(await seriousFindings(page), view).toEqual([]);
        expect(await page.evaluate<number>('document.documentElement.scrollWidth'), view).toBeLessThanOrEqual(width);
        await keep(`${view}-${colorScheme}-${width}`);
      }
    });
  });

  it.each([1280, 360])('shows what a caller calls a model as text, and stays %s px wide with it', async (width) => {
    page = await underTest.reopen({ viewport: { width, height: 900 } });
    const model = `<img src=x onerror="document.title='run'">${'x'.repeat(58)}`;
    const headers = { 'content-type': 'application/json', 'x-api-key': SAMPLE_TENANTS[5].key, 'user-agent': model };
    const body = JSON.stringify({ model, max_tokens: 9, messages: [{ role: 'user', content: 'hello' }] });
    await fetch(`${stage.gatewayUrl}/v1/messages`, { method: 'POST', headers, body });
    await open(`requests?model=${encodeURIComponent(model)}`);
    await rowsOf('Requests').getByText(model, { exact: true }).first().waitFor();
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(width);
    await rowsOf('Requests').getByRole('link').first().click();
    await page.getByText(`asked ${model} for`).waitFor();
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(width);
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.title()).not.toBe('run');
  });

  const keep = async (name: string): Promise<void> => {
    if (!KEEPS_SCREENSHOTS || !KEPT.includes(name)) return;
    await mkdir(IMAGES, { recursive: true });
    await page.screenshot({ path: new URL(`console-${name}.png`, IMAGES).pathname, animations: 'disabled' });
  };
});
