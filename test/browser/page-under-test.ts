import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { launchChromium, openPage, type WatchedPage } from './chromium.ts';

/**
 * One browser for the tests of a block, and for each of them a page of its own. When a test is over, nothing may have been
 * found on its page but what it has said it expects.
 */
export interface PageUnderTest {
  readonly page: Page;
  /** A page that looks otherwise, in place of the one that is open. */
  reopen(options: BrowserContextOptions): Promise<Page>;
  /** Chromium itself notes every refused or failed request: those that match this are part of the test. */
  expectNote(pattern: RegExp): void;
}

export function usePage(): PageUnderTest {
  let browser: Browser | undefined;
  let watched: WatchedPage | undefined;
  let expected: RegExp[] = [];
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());
  const open = async (options?: BrowserContextOptions): Promise<Page> => {
    await watched?.close();
    watched = await openPage(browser as Browser, options);
    return watched.page;
  };
  beforeEach(async () => {
    expected = [];
    await open();
  });
  afterEach(async () => {
    await watched?.close();
    const findings = watched?.findings ?? [];
    expect(findings.filter((line) => !expected.some((pattern) => pattern.test(line)))).toEqual([]);
  });
  return {
    get page() {
      return (watched as WatchedPage).page;
    },
    reopen: open,
    expectNote: (pattern) => void expected.push(pattern),
  };
}
