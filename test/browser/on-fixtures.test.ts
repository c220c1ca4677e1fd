import type { Locator, Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startFixture, type Fixture } from '../console/fixture-server.ts';
import { eventually } from '../support/eventually.ts';
import { chromiumPath } from './chromium.ts';
import { usePage } from './page-under-test.ts';

/** What the page does when its gateway goes and comes back, and while somebody reads: on figures made for it. */
const DEADLINE_MS = 20_000;

describe.skipIf(chromiumPath === null)("the console's page while somebody looks", { timeout: 3 * DEADLINE_MS }, () => {
  let fixture: Fixture;
  let page: Page;

  beforeEach(async () => {
    fixture = await startFixture();
  });
  afterEach(() => fixture.close());
  const underTest = usePage(); // behind it, so that the page is closed first
  beforeEach(async () => {
    ({ page } = underTest);
    await page.goto(`${fixture.url}#token=fixture`);
    await page.getByText('Live', { exact: true }).first().waitFor();
    await page.getByRole('table', { name: 'Open requests' }).waitFor();
  });

  const goTo = (hash: string) => page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
  const isFocused = (element: Locator) => element.evaluate((one) => one === one.ownerDocument.activeElement);

  it('says since when it is not connected, greys its figures, and is live again by itself', async () => {
    underTest.expectNote(/net::ERR_/);
    await fixture.close();
    await page.getByText(/Not connected since \d+\ss/).waitFor();
    expect(await page.locator('main').getAttribute('class')).toBe('lost');
    expect(await page.locator('.figure').count()).toBe(6);
    fixture = await startFixture(fixture.port);
    await page.getByRole('status').getByText('Live').waitFor();
    await eventually('figures are fresh', DEADLINE_MS, async () => {
      return (await page.locator('main').getAttribute('class')) === '';
    });
  });

  it('keeps the focus on a request of the live list also when that has ended', async () => {
    const newest = page.getByRole('table', { name: 'Open requests' }).getByRole('link').last();
    const id = (await newest.getAttribute('title')) ?? '';
    const link = page.locator(`a[title="${id}"]`);
    await link.focus();
    await eventually(
      'it has ended',
      3 * DEADLINE_MS,
      async () => (await page.locator('tr.gone', { has: link }).count()) === 1,
    );
    expect(await isFocused(link)).toBe(true);
    await page.locator('body').click({ position: { x: 5, y: 5 } });
    await eventually('it goes when nobody is there any more', DEADLINE_MS, async () => (await link.count()) === 0);
  });

  it('lets requests stand still while they are paused, counts what is newer, and shows it when asked', async () => {
    await goTo('#/requests');
    const first = page.locator('.request-rows tbody tr').first();
    await first.waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    const before = await first.innerText();
    await page.getByText(/^\d+ newer$/).waitFor();
    expect(await first.innerText()).toBe(before);
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    await eventually('the newest is shown', DEADLINE_MS, async () => (await first.innerText()) !== before);
  });

  it('shows older requests when asked, each once', async () => {
    await goTo('#/requests');
    const links = page.locator('.request-rows tbody a');
    await links.first().waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Show older' }).click();
    await eventually('there are more', DEADLINE_MS, async () => (await links.count()) > 120);
    const titles = await links.evaluateAll((all) => all.map((one) => one.getAttribute('title')));
    expect(new Set(titles).size).toBe(titles.length);
  });

  it('puts a filter into the address, and going back takes it out', async () => {
    await goTo('#/requests');
    await page.getByLabel('Fault of').selectOption('upstream');
    await page.waitForURL(/#\/requests\?fault=upstream$/);
    await eventually('only those are left', DEADLINE_MS, async () => {
      const answers = await page.locator('td[data-label="Answer"]').allInnerTexts();
      return answers.length > 0 && answers.every((answer) => answer.includes('upstream'));
    });
    await page.goBack();
    expect(await page.getByLabel('Fault of').inputValue()).toBe('');
  });

  it('opens and closes a prefix with the arrow keys', async () => {
    await goTo('#/prefixes');
    const tools = page.getByRole('button', { name: /^tools/ });
    const rows = page.locator('.tree').first().locator('tbody tr');
    await tools.focus();
    expect([await tools.getAttribute('aria-expanded'), await rows.count()]).toEqual(['true', 4]);
    await page.keyboard.press('ArrowLeft');
    expect([await tools.getAttribute('aria-expanded'), await rows.count()]).toEqual(['false', 1]);
    await page.keyboard.press('ArrowRight');
    expect(await rows.count()).toBe(4);
    expect(await isFocused(tools)).toBe(true);
  });

  it('goes to a view by its number, but not while somebody types or has switched that off', async () => {
    await page.keyboard.press('4');
    await page.getByRole('heading', { level: 1, name: 'Tenants' }).waitFor();
    await page.keyboard.press('?');
    await page.getByLabel('Switched on').uncheck();
    await page.getByRole('button', { name: 'Close' }).click();
    await page.keyboard.press('5');
    expect(await page.evaluate('location.hash')).toBe('#/tenants');
  });

  it('goes back from a story to the list as it was: as long, at the same place, with the focus on its link', async () => {
    await goTo('#/requests');
    const links = page.locator('.request-rows tbody a');
    await links.first().waitFor();
    await page.getByRole('button', { name: 'Show older' }).click();
    await eventually('there are more', DEADLINE_MS, async () => (await links.count()) > 120);
    const link = links.nth(110);
    await link.scrollIntoViewIfNeeded();
    await link.focus(); // it stands still
    const place = 'window.scrollY';
    const [href, scrollY] = [await link.getAttribute('href'), await page.evaluate<number>(place)];
    expect(scrollY).toBeGreaterThan(1_000);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Timeline' }).waitFor();
    expect(await page.evaluate<number>(place)).toBe(0);
    expect(await links.first().isVisible()).toBe(false);
    await page.goBack();
    await links.first().waitFor();
    expect(await isFocused(page.locator(`.request-rows a[href="${href}"]`))).toBe(true);
    expect(await page.evaluate<number>(place)).toBe(scrollY);
    expect(await links.count()).toBeGreaterThan(120);
  });

  it('comes from another view to a list at its top', async () => {
    await goTo('#/requests');
    const links = page.locator('.request-rows tbody a');
    await links.nth(90).scrollIntoViewIfNeeded();
    await goTo('#/tenants');
    await page.getByRole('heading', { level: 1, name: 'Tenants' }).waitFor();
    await goTo('#/requests');
    await links.first().waitFor();
    expect(await page.evaluate<number>('window.scrollY')).toBe(0);
  });

  it('says of a request that is not known what the gateway says', async () => {
    underTest.expectNote(/\b404\b/);
    await goTo('#/requests/no-such-request');
    await page.getByText('Not among the newest requests of this process.').waitFor();
  });
});
