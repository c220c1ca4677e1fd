import { spawnSync } from 'node:child_process';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

/**
 * The Chromium of this machine (Debian's package), driven by playwright-core, which brings no browser of its own. Every
 * page is watched: what it writes to its console as an error, throws, or asks of another host is a finding.
 */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Where it is; null, and one line that says so, where there is none. */
export const chromiumPath = findChromium();

export interface WatchedPage {
  readonly page: Page;
  /** Everything that should not have happened on it, a line each. */
  readonly findings: readonly string[];
  close(): Promise<void>;
}

export async function launchChromium(): Promise<Browser> {
  if (chromiumPath === null) throw new Error('no Chromium on this machine');
  // The sandbox needs rights that a container rarely gives; what runs in it is our own page.
  return chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const findings: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) findings.push(`console ${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => findings.push(`uncaught: ${String(error)}`));
  page.on('request', (request) => {
    if (!/^(http:\/\/127\.0\.0\.1:|blob:|data:)/.test(request.url())) findings.push(`asks ${request.url()}`);
  });
  return { page, findings, close: () => context.close() };
}

function findChromium(): string | null {
  for (const name of NAMES) {
    const found = spawnSync('which', [name], { encoding: 'utf8' });
    if (found.status === 0) return found.stdout.trim();
  }
  console.warn('SKIPPED: tests in a browser, because this machine has no Chromium (apt-get install chromium)');
  return null;
}
